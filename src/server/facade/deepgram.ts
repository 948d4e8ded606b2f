import { randomUUID } from 'node:crypto';
import { readDeepgramQuery } from './deepgram-query.ts';
import { DeepgramWire } from './deepgram-wire.ts';
import { type Facade, keyAfter } from './wire.ts';

/**
 * Deepgram's live API, version 1 (developers.deepgram.com, reference of Live Audio, and the types
 * of `@deepgram/sdk` 5.13): an application that has its SDK is given another base URL and the
 * parameter `reference`.
 */
export const deepgramFacade: Facade = {
  name: 'deepgram',
  path: '/v1/listen',
  tokenHint: '"Authorization: Token TOKEN", or the subprotocols "token, TOKEN"',
  tokenOf(headers, offered) {
    const scheme = offered.findIndex((name) => browserSchemes.includes(name));
    return keyAfter(/^(token|bearer)$/i, headers) ?? (scheme < 0 ? undefined : offered[scheme + 1]);
  },
  subprotocol: (offered) => offered.find((name) => browserSchemes.includes(name)),
  words({ status, code, message }) {
    const request_id = randomUUID();
    const err_code = codes[status] ?? code;
    return {
      headers: { 'dg-request-id': request_id, 'dg-error': message.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) },
      contentType: 'application/json',
      body: `${JSON.stringify({ err_code, err_msg: message, request_id })}\n`,
    };
  },
  open(query) {
    const read = readDeepgramQuery(query);
    if (typeof read !== 'string') return new DeepgramWire(read);
    return { status: 400, reason: 'query', code: 'invalid_message', message: read };
  },
};

const browserSchemes = ['token', 'bearer'];

/** Deepgram's names of what went wrong, by status. */
const codes: Partial<Record<number, string>> = {
  400: 'Bad Request',
  401: 'INVALID_AUTH',
  403: 'INSUFFICIENT_PERMISSIONS',
  404: 'NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
};

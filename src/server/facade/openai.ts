import { OpenaiWire } from './openai-wire.ts';
import { type Facade, keyAfter } from './wire.ts';

/**
 * OpenAI's realtime API in a transcription session (platform.openai.com, Realtime transcription,
 * and the types of `openai` 6.49): an application that has its SDK is given another base URL, and
 * puts the text that will be read into `session.audio.input.transcription.prompt`.
 */
export const openaiFacade: Facade = {
  name: 'openai-realtime',
  path: '/v1/realtime',
  tokenHint: '"Authorization: Bearer TOKEN", or the subprotocols "realtime, openai-insecure-api-key.TOKEN"',
  tokenOf(headers, offered) {
    const browser = offered.find((name) => name.startsWith(keyProtocol))?.slice(keyProtocol.length);
    return keyAfter(/^bearer$/i, headers) ?? browser;
  },
  subprotocol: (offered) => offered.find((name) => name === 'realtime'),
  words({ status, code, message }) {
    const error = { message, type: types[status] ?? 'invalid_request_error', param: null, code: codes[status] ?? code };
    return { headers: {}, contentType: 'application/json', body: `${JSON.stringify({ error })}\n` };
  },
  open: () => new OpenaiWire(),
};

const keyProtocol = 'openai-insecure-api-key.';
const types: Partial<Record<number, string>> = { 429: 'rate_limit_error', 503: 'server_error' };
const codes: Partial<Record<number, string>> = {
  401: 'invalid_api_key',
  429: 'rate_limit_exceeded',
  503: 'server_overloaded',
};

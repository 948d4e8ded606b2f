import type { IncomingMessage } from 'node:http';
import { subprotocol } from '../../protocol/address.ts';
import type { Refusal } from '../refusal.ts';
import { isOriginAllowed, type OriginPolicy } from './exposure.ts';
import type { Tokens } from './tokens.ts';

/**
 * A browser cannot set headers: it may offer its token as a subprotocol, `bearer.TOKEN`, beside
 * `speechfb.v1`.
 */
const bearerProtocol = 'bearer.';

export type Caller = { ok: true; owner: string | undefined } | { ok: false; refusal: Refusal };

/**
 * The client that opens this WebSocket, or why it is refused. Without tokens no client has a name.
 */
export function identify(request: IncomingMessage, tokens: Tokens | undefined, origins: OriginPolicy): Caller {
  const { origin, host } = request.headers;
  if (!isOriginAllowed(origin, host, origins)) {
    return { ok: false, refusal: { code: 'forbidden', message: `pages of ${origin} may not connect` } };
  }
  if (!tokens) return { ok: true, owner: undefined };
  const token = tokenOf(request);
  if (token === undefined) {
    const message = `a token is needed: "Authorization: Bearer TOKEN" or the subprotocol "${bearerProtocol}TOKEN"`;
    return { ok: false, refusal: { code: 'unauthorized', message } };
  }
  const owner = tokens.nameOf(token);
  if (owner === undefined) return { ok: false, refusal: { code: 'unauthorized', message: 'the token is unknown' } };
  return { ok: true, owner };
}

/**
 * The subprotocol chosen from those that the client offers; false when `speechfb.v1` is not among
 * them.
 */
export function chooseSubprotocol(offered: Set<string>): string | false {
  return offered.has(subprotocol) ? subprotocol : false;
}

/** Whether the client speaks this protocol. */
export function offersSubprotocol(request: IncomingMessage): boolean {
  return offeredBy(request).includes(subprotocol);
}

function offeredBy(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}

function tokenOf(request: IncomingMessage): string | undefined {
  const header = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (header !== undefined) return header;
  return offeredBy(request)
    .find((name) => name.startsWith(bearerProtocol))
    ?.slice(bearerProtocol.length);
}

import { createHash, randomBytes } from 'node:crypto';
import { subprotocol } from '../../protocol/address.ts';
import type { UpgradeHints } from './link.ts';
import { UpgradeAnswer } from './upgrade-answer.ts';

export type Upgrade = {
  /** The request, as it goes over the wire. */
  request: string;
  /** Takes what the server answers. */
  answer: UpgradeAnswer;
};

/** What an upgrade says of the caller, and asks for. */
export type UpgradeWishes = {
  /** A bearer token. */
  token?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Offered to the server, which may take one of them or none; undefined: speechfb.v1 is asked for,
   * and nothing else will do.
   */
  subprotocols?: readonly string[] | undefined;
  /** Offered behind speechfb.v1, where a proxy before the server reads them. */
  besideOurs?: readonly string[] | undefined;
};

/**
 * A WebSocket upgrade that asks for no extension (RFC 6455, section 4.1); `hints` go into its
 * query.
 */
export function upgradeRequest(
  to: URL,
  { token, headers = {}, subprotocols, besideOurs = [] }: UpgradeWishes,
  hints: UpgradeHints = {},
): Upgrade {
  const url = new URL(to);
  for (const [hint, value] of Object.entries(hints)) url.searchParams.set(hint, value);
  const key = randomBytes(16).toString('base64');
  const offered = subprotocols ?? [subprotocol, ...besideOurs];
  const expected = createHash('sha1').update(`${key}${guid}`).digest('base64');
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...(offered.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${offered.join(', ')}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const answer = new UpgradeAnswer(expected, subprotocols ?? [subprotocol], subprotocols === undefined);
  return { request: `${lines.join('\r\n')}\r\n\r\n`, answer };
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

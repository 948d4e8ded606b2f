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

/**
 * A WebSocket upgrade to `url` that asks for speechfb.v1 and no extension (RFC 6455, section 4.1);
 * `hints` go into its query.
 */
export function upgradeRequest(to: URL, token: string | undefined, hints: UpgradeHints = {}): Upgrade {
  const url = new URL(to);
  for (const [hint, value] of Object.entries(hints)) url.searchParams.set(hint, value);
  const key = randomBytes(16).toString('base64');
  const expected = createHash('sha1').update(`${key}${guid}`).digest('base64');
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Protocol: ${subprotocol}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
  ];
  return { request: `${lines.join('\r\n')}\r\n\r\n`, answer: new UpgradeAnswer(expected) };
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

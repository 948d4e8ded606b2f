import { createHash, randomBytes } from 'node:crypto';
import { subprotocol } from '../../protocol/address.ts';

export type Upgrade = {
  /** The request, as it goes over the wire. */
  request: string;
  /**
   * What is wrong with the answer's head (up to the empty line, without it); undefined for a good
   * one.
   */
  problem(head: string): string | undefined;
};

/**
 * A WebSocket upgrade to `url` that asks for speechfb.v1 and no extension (RFC 6455, section 4.1).
 */
export function upgradeRequest(url: URL, token: string | undefined): Upgrade {
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
  return { request: `${lines.join('\r\n')}\r\n\r\n`, problem: (head) => problemOf(head, expected) };
}

/** What a status other than 101 means to somebody who wanted a stream. */
function refusalOf(code: string, lines: readonly string[]): string {
  const retryAfter = lines.map((line) => /^retry-after:\s*(\d{1,6})\s*$/i.exec(line)?.[1]).find((value) => value);
  const when = retryAfter === undefined ? '' : `; it asks to come again in ${retryAfter} s`;
  return `the server refuses the connection: ${meanings[code] ?? 'it opens no stream'} (HTTP ${code})${when}`;
}

const meanings: Readonly<Record<string, string>> = {
  400: 'the upgrade is not to its liking',
  401: 'it wants a token that it knows',
  403: 'it takes no callers from here',
  404: 'it has no stream at this address',
  421: 'it does not go by the name that it was called by',
  426: 'what answers wants something else than a WebSocket',
  429: 'too much comes from here',
  503: 'it is full, or goes away',
};

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function problemOf(head: string, expected: string): string | undefined {
  const [status = '', ...lines] = head.split('\r\n');
  const code = /^HTTP\/1\.[01] (\d{3})/.exec(status)?.[1];
  if (code === undefined) return 'what answers speaks no HTTP';
  if (code !== '101') return refusalOf(code, lines);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return 'the answer upgrades to something else';
  if (headers.get('sec-websocket-accept') !== expected) return 'the answer has a wrong Sec-WebSocket-Accept';
  if (headers.has('sec-websocket-extensions')) return 'the answer has an extension that was not asked for';
  const chosen = headers.get('sec-websocket-protocol');
  return chosen === subprotocol ? undefined : `the answer speaks ${chosen ?? 'no subprotocol'}, not ${subprotocol}`;
}

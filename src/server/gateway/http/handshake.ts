import type { IncomingMessage } from 'node:http';
import type { HttpRefusal } from '../../admission/http-refusal.ts';

/**
 * Why a request is no handshake of a WebSocket (RFC 6455 section 4.2.1), whoever asks and whatever
 * for.
 */
export function brokenHandshake({ method, headers, httpVersion }: IncomingMessage): HttpRefusal | undefined {
  const { upgrade = '' } = headers;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0) {
    return malformed('a request for a WebSocket has no body');
  }
  if (method !== 'GET') return malformed('a WebSocket is asked for with GET');
  if (httpVersion !== '1.1') return malformed('a WebSocket is asked for with HTTP/1.1');
  if (upgrade.toLowerCase() !== 'websocket') return malformed('the header Upgrade is not "websocket"');
  if (headers['sec-websocket-version'] !== '13') return { ...malformed(otherVersion), status: 426 };
  if (!/^[+/\dA-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')) {
    return malformed('Sec-WebSocket-Key is not 16 bytes in base64');
  }
  return undefined;
}

/** The offers of subprotocols cannot be read: all else has been looked at. */
export const unreadOffers: HttpRefusal = malformed('Sec-WebSocket-Protocol is no list of names, each once');

function malformed(message: string): HttpRefusal {
  return { status: 400, reason: 'malformed', code: 'invalid_message', message };
}

const otherVersion = 'Sec-WebSocket-Version is not 13';

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type Limits, wireName } from '../limits.ts';
import type { Refusal } from '../refusal.ts';

/** Why a request is refused before anything is done for it; the label of a metric. */
type RefusedFor =
  | 'connection_cap'
  | 'connection_share'
  | 'connections'
  | 'handshakes'
  | 'header_size'
  | 'host'
  | 'malformed'
  | 'origin'
  | 'overload'
  | 'path'
  | 'pending'
  | 'pipelined'
  | 'query'
  | 'quota'
  | 'region'
  | 'requests'
  | 'starts'
  | 'subprotocol'
  | 'tenant'
  | 'tenant_cap'
  | 'timeout'
  | 'tls'
  | 'token'
  | 'token_algorithm'
  | 'token_audience'
  | 'token_early'
  | 'token_expired'
  | 'token_issuer'
  | 'token_key'
  | 'token_keys_away'
  | 'token_malformed'
  | 'token_signature'
  | 'tokens_busy';

/** The answer to a request or an upgrade that is refused, as plain HTTP. */
export type HttpRefusal = {
  status: 400 | 401 | 403 | 404 | 408 | 421 | 426 | 429 | 431 | 503;
  reason: RefusedFor;
  code: string;
  message: string;
  retryAfterMs?: number;
  /** The limit that was met, where one of the server's was. */
  limit?: keyof Limits;
};

/**
 * The refusal of an upgrade whose session would be refused because of what its tenant may have;
 * undefined: it would not.
 */
export function tenantCap(refusal: Refusal | undefined): HttpRefusal | undefined {
  if (refusal?.code !== 'tenant_cap' && refusal?.code !== 'quota') return undefined;
  return { ...refusal, status: 429, reason: refusal.code };
}

/** A refusal as the protocol that was asked for words it. */
export type HttpWords = { headers: Record<string, string>; contentType: string; body: string };

/** The headers that its status asks for. */
export function refusalHeaders({ status, retryAfterMs }: HttpRefusal): Record<string, string> {
  return {
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="speechfb"' } : {}),
    ...(status === 426 ? { 'sec-websocket-version': '13' } : {}),
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
  };
}

/**
 * Answers on a bare socket, as text, and ends it. Node watches no socket that asked for an upgrade:
 * one whose client never closes would stay for ever, and one that breaks would end the process.
 */
export function refuseSocket(socket: Duplex, refusal: HttpRefusal, words: HttpWords = plainWords(refusal)): void {
  const { body, contentType } = words;
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Connection: close',
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ ...refusalHeaders(refusal), ...words.headers }).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function plainWords({ message, code }: HttpRefusal): HttpWords {
  return { headers: {}, contentType: 'text/plain; charset=utf-8', body: `${message} [${code}]\n` };
}

/** Why a request was refused, and whose it was where that is known. */
export type RefusedRequest = Pick<HttpRefusal, 'reason' | 'limit'> & { tenant?: string | undefined };

/** Counts a refusal before there is a WebSocket, and logs it. */
export function noteHttpRefusal(
  { metrics, log }: { metrics: Metrics; log: Log },
  { reason, limit, tenant }: RefusedRequest,
  message: string,
): void {
  const name = limit && wireName(limit);
  metrics.refusedRequest(reason);
  if (name !== undefined) metrics.limit(name);
  log.warn({ reason, limit: name, tenant }, message);
}

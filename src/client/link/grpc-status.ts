import { type StatusObject, status } from '@grpc/grpc-js';
import type { LinkRefusal } from './link.ts';

/** How a call ended; `refusal` where the server turned the caller away. */
export type Goodbye = { code: number; reason: string; refusal?: LinkRefusal };

/**
 * What the status of a call means to somebody who wanted a stream: 1000 for OK, 1006 for a
 * connection that never was or is gone, else the number of the status and the server's words.
 */
export function goneBy({ code, details, metadata }: StatusObject): Goodbye {
  if (code === status.OK) return { code: 1000, reason: 'the server ended the stream' };
  const broken = wordsOnConnection(details);
  if (broken !== undefined) return { code: 1006, reason: broken };
  const reason = details === '' ? status[code]! : `${status[code] ?? `status ${code}`}: ${oneLine(details)}`;
  if (!refusals.has(code)) return { code, reason };
  const retryAfterMs = pushback(metadata.get('grpc-retry-pushback-ms')[0]);
  return { code, reason, refusal: { retryable: retryable.has(code), retryAfterMs } };
}

/** Statuses of a server that does not take the call. */
const refusals: ReadonlySet<number> = new Set([
  status.RESOURCE_EXHAUSTED,
  status.UNAVAILABLE,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
  status.NOT_FOUND,
  status.UNIMPLEMENTED,
]);

const retryable: ReadonlySet<number> = new Set([status.RESOURCE_EXHAUSTED, status.UNAVAILABLE]);

/**
 * The statuses that grpc-js makes up for what becomes of a connection, in a sentence; undefined for
 * words of a server.
 */
function wordsOnConnection(details: string): string | undefined {
  const [, cause] = /^No connection established\. Last error: (.*?)(?:\.? Resolution note:.*)?$/s.exec(details) ?? [];
  if (cause !== undefined) return wordsOnFailure(oneLine(cause.replace(/^(?:\w*Error(?: \[\w+\])?: )+/, '')));
  if (/^No connection established/.test(details)) return 'no connection';
  const [, name] = /^Name resolution failed for target (?:dns:)?(.*)$/s.exec(details) ?? [];
  if (name !== undefined) return `nobody knows the name ${name}`;
  if (/^(Connection dropped|(read|write) E[A-Z]+)/.test(details)) return 'the connection was cut';
  const [, error] = /^Received RST_STREAM with code (\d+)/.exec(details) ?? [];
  if (error !== undefined) return `the server broke the stream off (HTTP/2 error ${error})`;
  const [, answer] = /^Received HTTP status code (\d+)/.exec(details) ?? [];
  if (answer !== undefined) return `what answers there is no gRPC server (HTTP ${answer})`;
  return /^No status information received/.test(details) ? 'the server ended the stream without a status' : undefined;
}

/** What Node says of a connection on which no HTTP/2 came about; grpc-js adds the time. */
function wordsOnFailure(words: string): string {
  const cause = words.replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, '');
  if (cause === 'Protocol error') return 'what answers there does not speak gRPC (HTTP/2)';
  return cause === 'Failed to connect' ? 'what answers there closes the connection at once' : cause;
}

function pushback(given: string | Buffer | undefined): number | undefined {
  return /^\d{1,9}$/.test(`${given ?? ''}`) ? Number(given) : undefined;
}

/** One line of at most 200 characters. */
function oneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > mostWords ? `${line.slice(0, mostWords)}...` : line;
}

const mostWords = 200;

import type { IncomingMessage, Server } from 'node:http';
import { accountOf, callerAddress } from '../../admission/address.ts';
import { AddressRates } from '../../admission/address-rates.ts';
import type { HttpRefusal } from '../../admission/http-refusal.ts';
import type { Limits } from '../../limits.ts';
import { faultsPath } from './faults.ts';
import { createHttpHandler, type HttpOptions } from './handler.ts';
import { readNoMore } from './reads.ts';
import { RequestTurns } from './request-turns.ts';
import { pathOf } from './upgrade.ts';

export type PlainHttpOptions = Omit<HttpOptions, 'tooMany'> & {
  limits: Limits;
  /** Proxies in front whose word on the caller's address is taken. */
  trustedProxies: number;
  /** Monotonic, ms. */
  now(): number;
  /** An address asks for more than it may. */
  onRefused(refusal: HttpRefusal): void;
};

/**
 * Answers what is no WebSocket, within bounds: so many requests a second of an address, a share of
 * the thread's time for all of them.
 */
export function answerPlainHttp(http: Server, options: PlainHttpOptions): void {
  const { limits, trustedProxies, now } = options;
  const rates = new AddressRates({
    perSecond: () => limits.requestsPerSecond,
    burst: () => limits.requestBurst,
    mostAddresses: () => limits.maxAddresses,
    now,
  });
  const callerOf = (request: IncomingMessage): string =>
    accountOf(callerAddress(request, trustedProxies)) ?? 'this machine';
  const tooMany = (request: IncomingMessage): HttpRefusal | undefined => {
    const retryAfterMs = rates.take(callerOf(request));
    if (retryAfterMs === 0) return undefined;
    const refusal = tooManyRequests(limits, retryAfterMs);
    options.onRefused(refusal);
    return refusal;
  };
  const handle = createHttpHandler({ ...options, tooMany });
  const turns = new RequestTurns({ limits, now });
  http.on('request', (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return;
    if (bringsBody(request) && pathOf(request) !== faultsPath) readNoMore(request, response);
    turns.enter(callerOf(request), () => {
      if (!socket.destroyed) handle(request, response);
    });
  });
}

function tooManyRequests({ requestsPerSecond }: Limits, retryAfterMs: number): HttpRefusal {
  const message = `this address asks for more than requests_per_second, ${requestsPerSecond}`;
  return { status: 429, reason: 'requests', code: 'rate_limited', message, retryAfterMs, limit: 'requestsPerSecond' };
}

/** What is neither of these is refused by the parser. */
function bringsBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding']?.toLowerCase() === 'chunked' || Number(headers['content-length'] ?? 0) !== 0;
}

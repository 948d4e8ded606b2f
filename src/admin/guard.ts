import type { IncomingMessage } from 'node:http';
import { SpeechfbError } from '../errors.ts';
import { accountOf, callerAddress } from '../server/admission/address.ts';
import { AddressRates } from '../server/admission/address-rates.ts';
import { type HostPolicy, isHostAllowed, isLoopback } from '../server/admission/exposure.ts';
import type { AdminCaller, AdminTokens } from './admin-tokens.ts';
import { type FrontProxy, frontProxyCaller } from './front-proxy.ts';
import type { AdminRefusal } from './refusal.ts';

/**
 * Tokens that stop a service travel encrypted or not at all.
 * @throws SpeechfbError `unsafe_host`
 */
export function checkAdminExposure(host: string, isSecure: boolean): void {
  if (isLoopback(host) || isSecure) return;
  throw new SpeechfbError(
    'unsafe_host',
    `--admin-listen ${host} would take admin tokens unencrypted from the network`,
    {
      hint: 'add --admin-tls-cert and --admin-tls-key, or listen at 127.0.0.1',
    },
  );
}

export type GuardOptions = {
  tokens: AdminTokens;
  /** Reads external metrics by its certificate; absent: nobody does. */
  frontProxy?: FrontProxy | undefined;
  /** Names by which the plane may be called. */
  hosts: HostPolicy;
  /** Monotonic, ms. */
  now(): number;
};

/** Says who calls the admin plane, or why they are not heard. */
export class AdminGuard {
  readonly #options: GuardOptions;
  /** What each address may still get wrong. */
  readonly #wrong: AddressRates;
  /** What each address may still ask. */
  readonly #asked: AddressRates;

  constructor(options: GuardOptions) {
    this.#options = options;
    const remembered = { mostAddresses: () => mostAddresses, now: options.now };
    this.#wrong = new AddressRates({ perSecond: wrongPerSecond, burst: wrongBurst, ...remembered });
    this.#asked = new AddressRates({ perSecond: callsPerSecond, burst: callBurst, ...remembered });
  }

  /**
   * Looks at the headers, and at the certificate where the front proxy may call: no page can show
   * that, whatever name the server was called by.
   *
   * @param mayBeProxy whether the call is one that the front proxy makes
   */
  identify(request: IncomingMessage, mayBeProxy = false): AdminCaller | AdminRefusal {
    const { tokens, hosts, frontProxy } = this.#options;
    const address = addressOf(request);
    const restMs = this.#asked.take(address);
    if (restMs > 0) {
      const message = `more calls from this address than ${callsPerSecond} a second`;
      // Who goes on at once has to connect again.
      return tooMany(message, restMs, { connection: 'close' });
    }
    const proxy = mayBeProxy && frontProxy ? frontProxyCaller(request, frontProxy) : undefined;
    if (proxy) return proxy;
    const { host, origin, authorization } = request.headers;
    if (!isHostAllowed(host, hosts)) {
      return { status: 421, code: 'forbidden', message: 'this server does not go by that name; --allow-host adds one' };
    }
    if (origin !== undefined) return { status: 403, code: 'forbidden', message: 'pages may not call the admin plane' };
    const waitMs = this.#wrong.waitMs(address);
    if (waitMs > 0) {
      return tooMany('too many wrong tokens from this address; no token of it is looked at for a while', waitMs);
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const caller = token === undefined ? undefined : tokens.callerOf(token);
    if (caller) return caller;
    if (authorization !== undefined) this.#wrong.take(address);
    const message = token === undefined ? 'a token is needed: "Authorization: Bearer TOKEN"' : 'the token is unknown';
    const headers = { 'www-authenticate': 'Bearer realm="speechfb admin"' };
    return { status: 401, code: 'unauthorized', message, headers };
  }
}

/** Under which name the calls of an address are counted. */
export function addressOf(request: IncomingMessage): string {
  return accountOf(callerAddress(request, 0)) ?? 'loopback';
}

function tooMany(message: string, waitMs: number, headers: Record<string, string> = {}): AdminRefusal {
  const retryAfter = String(Math.ceil(waitMs / 1000));
  return { status: 429, code: 'rate_limited', message, headers: { 'retry-after': retryAfter, ...headers } };
}

/**
 * Calls of one address that may go on and on, and how many at once: those who run a server are few,
 * and what watches it asks a few times a second.
 */
const callsPerSecond = 50;
const callBurst = 300;
/** Wrong tokens of one address that may go on and on, and how many at once: people mistype. */
const wrongPerSecond = 0.5;
const wrongBurst = 10;
/** Addresses that are remembered for what they asked. */
const mostAddresses = 1000;

import { isIP } from 'node:net';
import { SpeechfbError } from '../../errors.ts';

/** Whether a host name or address is this machine alone. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Voices are personal data: beyond this machine they are taken only from known clients over an
 * encrypted line, or where the operator has chosen one of the two and stands for the other (TLS
 * ends in front, or the network is closed).
 * @throws SpeechfbError `unsafe_host`
 */
export function checkExposure(host: string, guard: { tokens: boolean; tls: boolean }): void {
  if (isLoopback(host) || guard.tokens || guard.tls) return;
  throw new SpeechfbError('unsafe_host', `--host ${host} would take anyone's audio, unencrypted, from the network`, {
    hint: 'add --token-file FILE, or --tls-cert and --tls-key, or both; or leave --host at 127.0.0.1',
  });
}

/**
 * What a load test may do to a server nobody else may: where a proxy stands in front, all the world
 * calls from this machine, so only a token tells one from the other.
 * @throws SpeechfbError `unsafe_faults`
 */
export function checkFaults(guard: { faults: boolean; proxied: boolean; tokens: boolean }): void {
  if (!guard.faults || !guard.proxied || guard.tokens) return;
  const message = '--fault-injection would let anyone behind the proxy stall or kill the model';
  throw new SpeechfbError('unsafe_faults', message, {
    hint: 'add --token-file FILE, or leave out --trust-proxy and --allow-host',
  });
}

/**
 * Whether a WebSocket with this `Origin` may be opened. Programs send none. A page must come from
 * this server's own host, or from a listed origin; on loopback the page must be on loopback too,
 * whatever name was made to point here.
 */
export function isOriginAllowed(origin: string | undefined, host: string | undefined, policy: OriginPolicy): boolean {
  if (origin === undefined || policy.allowed.includes(origin)) return true;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url) return false;
  return policy.loopback ? isLoopback(url.hostname) : url.host === host;
}

export type OriginPolicy = { allowed: readonly string[]; loopback: boolean };

/**
 * Whether a request that names this `Host` is meant for this server. A page may have its own name
 * point to this machine and then is no page of another host to the browser (DNS rebinding); the
 * name that it calls by gives it away. On loopback that is any name but this machine's; beyond, an
 * address or any name unless some are listed. Programs that name no host are no browser.
 */
export function isHostAllowed(host: string | undefined, policy: HostPolicy): boolean {
  if (host === undefined) return true;
  const name = hostName(host);
  if (name === undefined) return false;
  if (isLoopback(name) || policy.allowed.includes(name)) return true;
  if (policy.loopback) return false;
  return policy.allowed.length === 0 || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

export type HostPolicy = { allowed: readonly string[]; loopback: boolean };

/** The name in a `Host` header or an `--allow-host`, without its port; undefined: it is none. */
export function hostName(host: string): string | undefined {
  if (!/^[^/?#@\\\s]+$/.test(host) || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname.replace(/(?<=.)\.$/, '') || undefined;
}

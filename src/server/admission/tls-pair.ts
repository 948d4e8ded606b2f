import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { badTls, leafOf, type TlsPair } from './pem.ts';

/**
 * Until when the pair is good, ms since 1970.
 *
 * @param wallMs now
 * @throws SpeechfbError `bad_tls` for a pair that no client would accept.
 */
export function checkTlsPair(pair: TlsPair, wallMs = Date.now()): number {
  const leaf = leafOf(pair);
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const what = pair.names?.certificate ?? 'the certificate';
  if (wallMs > to) throw badTls(`${what} was good until ${second(to)}, and no client accepts it now`);
  if (wallMs < from) throw badTls(`${what} is good from ${second(from)} on, and no client accepts it now`);
  return to;
}

/** Until when the first certificate of a chain is good, ms since 1970. */
export function expiryOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

/** What a listener takes of a pair. */
export function secureOptions({ certificate, key }: TlsPair): SecureContextOptions {
  return { cert: certificate, key, minVersion: 'TLSv1.2' };
}

function second(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { SpeechfbError } from '../../errors.ts';

/** A certificate, with the chain behind it, and its private key, PEM texts. */
export type TlsPair = { certificate: string; key: string };

/**
 * Until when the pair is good, ms since 1970.
 *
 * @param wallMs now
 * @throws SpeechfbError `bad_tls` for a pair that no client would accept.
 */
export function checkTlsPair({ certificate, key }: TlsPair, wallMs = Date.now()): number {
  const leaf = read('certificate', () => new X509Certificate(certificate));
  const secret: KeyObject = read('key', () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(secret)) throw unusable('they do not belong together');
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (wallMs > to) throw unusable(`the certificate was good until ${day(to)}, and no client accepts it now`);
  if (wallMs < from) throw unusable(`the certificate is good from ${day(from)} on, and no client accepts it now`);
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

function read<Part>(what: 'certificate' | 'key', parse: () => Part): Part {
  try {
    return parse();
  } catch (cause) {
    // The library's words may quote the text, which may be a key.
    throw unusable(`the ${what} is no PEM that can be read`, cause);
  }
}

export function unusable(why: string, cause?: unknown): SpeechfbError {
  return new SpeechfbError('bad_tls', `the certificate and key cannot be used: ${why}`, {
    hint: '--tls-cert and --tls-key are PEM files that belong together',
    cause,
  });
}

function day(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

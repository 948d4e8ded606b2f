import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { SpeechfbError } from '../../errors.ts';
import { expiryOf } from '../../server/admission/tls-pair.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeTls } from '../../trunk/node/node-port.ts';
import type { Reloads } from './reloads.ts';

/** The certificates of one end of a trunk, and the files that they are from. */
export type NodeTlsFiles = NodeTls & { paths: { certificate: string; key: string; authority: string } };

/**
 * Looks at the certificates of one end of a trunk before anything shows them: what OpenSSL says of
 * a bad one names no file and nothing that is allowed.
 *
 * @param wallMs now, since 1970
 * @throws SpeechfbError `bad_tls`
 */
export function checkNodeTls({ certificate, key, authority, paths }: NodeTlsFiles, wallMs = Date.now()): void {
  const ownFile = `--node-cert ${paths.certificate}`;
  const caFile = `--node-ca ${paths.authority}`;
  const [own] = certificatesIn(certificate, ownFile);
  if (!own.checkPrivateKey(keyIn(key, `--node-key ${paths.key}`))) {
    throw bad(`--node-key ${paths.key} is not the key of the certificate in --node-cert ${paths.certificate}`);
  }
  checkTime([own], ownFile, wallMs);
  checkTime(certificatesIn(authority, caFile), caFile, wallMs);
}

/** The certificates of a file. */
function certificatesIn(pem: string, file: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const [first, ...others] = blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw bad(`${file}: certificate ${at + 1} of ${blocks.length} is damaged and cannot be read`, cause);
    }
  });
  if (!first) throw bad(`${file} has no certificate: it is PEM with -----BEGIN CERTIFICATE-----`);
  return [first, ...others];
}

/** One of several has to be good: authorities overlap while one follows the other. */
function checkTime(certificates: readonly X509Certificate[], file: string, wallMs: number): void {
  const times = certificates.map(({ validFrom, validTo }) => [Date.parse(validFrom), Date.parse(validTo)] as const);
  if (times.some(([from, to]) => wallMs >= from && wallMs <= to)) return;
  const ends = Math.max(...times.map(([, to]) => to));
  if (wallMs > ends) throw bad(`${file} was good until ${second(ends)}, and no other end of a trunk accepts it now`);
  const begins = Math.min(...times.filter(([, to]) => to >= wallMs).map(([from]) => from));
  throw bad(`${file} is good from ${second(begins)} on: it is too new, or a clock is wrong`);
}

function keyIn(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(pem);
    throw bad(
      isLocked
        ? `${file} is locked by a passphrase; a key without one is needed`
        : `${file} has no private key that can be read: it is PEM with -----BEGIN PRIVATE KEY-----`,
      cause,
    );
  }
}

function bad(message: string, cause?: unknown): SpeechfbError {
  return new SpeechfbError('bad_tls', message, { cause });
}

function second(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Takes up the certificates of this end of a trunk when their files change, and says when the one
 * that is shown has expired.
 *
 * @param take Shows them from the next trunk on; throws SpeechfbError `bad_tls`
 */
export function followNodeTls(
  { paths, ...first }: NodeTlsFiles,
  { reloads, log, take }: { reloads: Reloads; log: Log; take(tls: NodeTls): void },
): { close(): void } {
  let shown = first.certificate;
  reloads.add({
    what: "trunk's certificates",
    paths: [paths.certificate, paths.key, paths.authority],
    texts: [first.certificate, first.key, first.authority],
    take([certificate = '', key = '', authority = '']) {
      checkNodeTls({ certificate, key, authority, paths });
      take({ certificate, key, authority });
      shown = certificate;
    },
  });
  let told = '';
  const timer = setInterval(() => {
    if (told === shown || Date.now() < expiryOf(shown)) return;
    told = shown;
    const message = 'the certificate of this end of a trunk has expired: open trunks go on, none can be made anew';
    log.error({ file: paths.certificate, expired: new Date(expiryOf(shown)).toISOString() }, message);
  }, lookMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

const lookMs = 1000;

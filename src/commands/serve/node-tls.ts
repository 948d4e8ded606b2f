import type { X509Certificate } from 'node:crypto';
import { badTls, certificatesIn, leafOf } from '../../server/admission/pem.ts';
import { expiryOf } from '../../server/admission/tls-pair.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeTls } from '../../trunk/node/node-port.ts';
import type { Reloads } from './reloads.ts';

/** The certificates of one end of a trunk, and the files that they are from. */
export type NodeTlsFiles = NodeTls & { paths: { certificate: string; key: string; authority: string } };

/**
 * Looks at the certificates of one end of a trunk before anything shows them.
 *
 * @param wallMs now, since 1970
 * @throws SpeechfbError `bad_tls`
 */
export function checkNodeTls({ certificate, key, authority, paths }: NodeTlsFiles, wallMs = Date.now()): void {
  const ownFile = `--node-cert ${paths.certificate}`;
  const caFile = `--node-ca ${paths.authority}`;
  const names = { certificate: ownFile, key: `--node-key ${paths.key}` };
  const authorities = certificatesIn(authority, caFile);
  const own = leafOf({ certificate, key, names }, { pem: authority, name: caFile });
  checkTime([own], ownFile, wallMs);
  checkTime(authorities, caFile, wallMs);
}

/** One of several has to be good: authorities overlap while one follows the other. */
function checkTime(certificates: readonly X509Certificate[], file: string, wallMs: number): void {
  const times = certificates.map(({ validFrom, validTo }) => [Date.parse(validFrom), Date.parse(validTo)] as const);
  if (times.some(([from, to]) => wallMs >= from && wallMs <= to)) return;
  const ends = Math.max(...times.map(([, to]) => to));
  if (wallMs > ends) throw badTls(`${file} was good until ${second(ends)}, and no other end of a trunk accepts it now`);
  const begins = Math.min(...times.filter(([, to]) => to >= wallMs).map(([from]) => from));
  throw badTls(`${file} is good from ${second(begins)} on: it is too new, or a clock is wrong`);
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

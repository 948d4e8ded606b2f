import { expiryOf } from '../../server/admission/tls-pair.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeTls } from '../../trunk/node/node-port.ts';
import type { Reloads } from './reloads.ts';

/** The certificates of one end of a trunk, and the files that they are from. */
export type NodeTlsFiles = NodeTls & { paths: { certificate: string; key: string; authority: string } };

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

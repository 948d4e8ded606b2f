import type { TlsPair } from '../../server/admission/pem.ts';
import { expiryOf } from '../../server/admission/tls-pair.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Reloads } from './reloads.ts';
import type { ServeSettings } from './settings.ts';

/** Lets a server show the certificate that its files hold, and says when that has expired. */
export function followCertificate(
  server: { renewTls(tls: TlsPair): void },
  { tls }: ServeSettings,
  reloads: Reloads,
  log: Pick<Log, 'error'>,
): void {
  if (!tls) return;
  const { certificate, key, names, paths } = tls;
  let shown = certificate;
  const take = ([chain = '', secret = '']: readonly string[]): void => {
    server.renewTls({ certificate: chain, key: secret, names });
    shown = chain;
  };
  reloads.add({
    what: 'certificate and key',
    paths: [paths.certificate, paths.key],
    texts: [certificate, key],
    take,
  });
  let told = '';
  reloads.eachLook(() => {
    if (told === shown || Date.now() < expiryOf(shown)) return;
    told = shown;
    const message = 'the certificate has expired: open connections go on, no client makes a new one';
    log.error({ file: paths.certificate, expired: new Date(expiryOf(shown)).toISOString() }, message);
  });
}

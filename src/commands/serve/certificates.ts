import type { TlsPair } from '../../server/admission/tls-pair.ts';
import type { Reloads } from './reloads.ts';
import type { ServeSettings } from './settings.ts';

/** Lets a server show the certificate that its files hold. */
export function followCertificate(
  server: { renewTls(tls: TlsPair): void },
  { tls }: ServeSettings,
  reloads: Reloads,
): void {
  if (!tls) return;
  const { certificate, key, paths } = tls;
  const take = ([chain = '', secret = '']: readonly string[]): void =>
    server.renewTls({ certificate: chain, key: secret });
  reloads.add({
    what: 'certificate and key',
    paths: [paths.certificate, paths.key],
    texts: [certificate, key],
    take,
  });
}

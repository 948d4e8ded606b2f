import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { checkTlsPair } from '../../src/server/admission/tls-pair.ts';
import { localhostTls, renewedTls } from '../kit/localhost.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

const { validFrom, validTo } = new X509Certificate(localhostTls.certificate);

describe('a certificate and its key', () => {
  it('are good until the certificate ends', () => {
    expect(checkTlsPair(localhostTls)).toBe(Date.parse(validTo));
  });

  it.each([
    [
      'of which the certificate is none',
      { ...localhostTls, certificate: 'none' },
      undefined,
      /the certificate has no certificate: it is PEM/,
    ],
    [
      'of which the key is none',
      { ...localhostTls, key: 'secretkey' },
      undefined,
      /the text of the key has no private key that can be read: it is PEM/,
    ],
    [
      'swapped',
      { certificate: localhostTls.key, key: localhostTls.certificate },
      undefined,
      /has no certificate, but a private key: it is PEM/,
    ],
    [
      'of two pairs',
      { ...localhostTls, key: renewedTls.key },
      undefined,
      /the key is not the key of the certificate in/,
    ],
    ['that ended', localhostTls, Date.parse(validTo) + 1, /was good until \d{4}-/],
    ['of the future', localhostTls, Date.parse(validFrom) - 1000, /is good from \d{4}-.* on/],
  ])('%s are refused, and quoted nowhere', (_, pair, wallMs, problem) => {
    const check = () => checkTlsPair(pair, wallMs);
    expect(check).toThrow(problem);
    expect(check).not.toThrow(/secretkey|MII|OpenSSL|routines/);
  });
});

describe('a server whose certificate is renewed', () => {
  it('shows the new one, cuts nobody, and tells how long it is good', async () => {
    const server = await serve({ tls: localhostTls });
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
    expect(await shownAt(server.port)).toBe(fingerprintOf(localhostTls));
    server.renewTls(renewedTls);
    expect(await shownAt(server.port)).toBe(fingerprintOf(renewedTls));
    client.frames(0, 5);
    await client.until('ack');
    const seconds = (await metricsByTls(server.url)).match(/^speechfb_tls_expires_seconds (\S+)$/m)?.[1];
    expect(Number(seconds)).toBeCloseTo((checkTlsPair(renewedTls) - Date.now()) / 1000, -2);
  });

  it('goes on with the old one when the new one cannot be used', async () => {
    const server = await serve({ tls: localhostTls });
    expect(() => server.renewTls({ ...renewedTls, key: localhostTls.key })).toThrow(/is not the key of/);
    expect(await shownAt(server.port)).toBe(fingerprintOf(localhostTls));
  });

  it('takes nothing older than TLS 1.2', async () => {
    const server = await serve({ tls: localhostTls });
    const socket = connectTls({
      port: server.port,
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    const [error] = await once(socket, 'error');
    expect(String(error)).toMatch(/alert|version|protocol/i);
  });
});

function fingerprintOf({ certificate }: { certificate: string }): string {
  return new X509Certificate(certificate).fingerprint256;
}

async function shownAt(port: number): Promise<string> {
  const socket: TLSSocket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

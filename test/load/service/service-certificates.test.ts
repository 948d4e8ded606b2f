import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newAuthority } from '../../../src/load/service/authority.ts';
import { ServiceCertificates } from '../../../src/load/service/service-certificates.ts';
import { ServiceDirectory } from '../../../src/load/service/service-directory.ts';
import { checkTlsPair } from '../../../src/server/admission/tls-pair.ts';

describe('an authority of a test', () => {
  const authority = newAuthority('an authority');
  const root = new X509Certificate(authority.certificate);

  it('is one, and signs itself', () => {
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
  });

  it('issues pairs of this machine, which it has signed and nobody else', () => {
    const leaf = new X509Certificate(authority.issue().certificate);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(newAuthority('another').certificate).publicKey)).toBe(false);
    expect([leaf.checkHost('localhost'), leaf.checkIP('127.0.0.1'), leaf.checkHost('else.example')]).toEqual([
      'localhost',
      '127.0.0.1',
      undefined,
    ]);
  });

  it('issues them for as long as it is told, and for a key that there is', () => {
    const first = authority.issue();
    const untilMs = Date.parse('2031-05-06T07:08:09Z');
    const second = authority.issue({ untilMs, key: first.key });
    expect(second.key).toBe(first.key);
    expect(checkTlsPair({ ...second, key: first.key })).toBe(untilMs);
    expect(second.certificate).not.toBe(first.certificate);
  });
});

describe('the certificates of a service', () => {
  it('are in files for both kinds of flags, which are gone with it', () => {
    const directory = new ServiceDirectory();
    onTestFinished(() => directory.remove());
    const certificates = new ServiceCertificates(directory);
    const files = [...certificates.serverArgs, ...certificates.trunkArgs].filter((_, at) => at % 2 === 1);
    const [certificate = '', key = ''] = files.map((file) => readFileSync(file, 'utf8'));
    expect(checkTlsPair({ certificate, key })).toBeGreaterThan(Date.now());
    expect(readFileSync(files.at(-1)!, 'utf8')).toBe(certificates.authority);
    directory.remove();
    expect(existsSync(dirname(files[0]!))).toBe(false);
  });

  it('can be used for a moment when they expire soon, and for long when they are renewed', () => {
    const directory = new ServiceDirectory();
    onTestFinished(() => directory.remove());
    const certificates = new ServiceCertificates(directory);
    const leftMs = () => {
      const [certificate = '', key = ''] = [1, 3].map((at) => readFileSync(certificates.serverArgs[at]!, 'utf8'));
      return checkTlsPair({ certificate, key }) - Date.now();
    };
    certificates.expireSoon();
    expect(leftMs()).toBeLessThanOrEqual(2000);
    certificates.renew();
    expect(leftMs()).toBeGreaterThan(600_000);
  });
});

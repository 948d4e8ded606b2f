import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adminSettingsOf } from '../../src/commands/serve/admin.ts';
import { newAuthority } from '../../src/load/service/authority.ts';
import { localhostTls } from '../kit/localhost.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const other = newAuthority('operators');
const learners = {
  tlsCert: file('tls.crt', localhostTls.certificate),
  tlsKey: file('tls.key', localhostTls.key),
};
const own = {
  adminTlsCert: file('admin.crt', other.certificate),
  adminTlsKey: file('admin.key', other.key),
};
const everywhere = {
  adminListen: '0.0.0.0:0',
  adminTokenFile: file('tokens', 'bob read 0123456789abcdef\n'),
};
const proxy = { frontProxyCa: file('ca.crt', other.certificate) };

it.each([
  ['its own, where learners have another', { ...learners, ...own }, other.certificate],
  ['its own, where a balancer has that of the learners', { ...own, ...proxy }, other.certificate],
  ['that of the learners, where it has none', learners, localhostTls.certificate],
])('the admin plane shows %s', (_, flags, certificate) => {
  expect(adminSettingsOf({ ...everywhere, ...flags })?.tls?.certificate).toBe(certificate);
});

it.each([
  [
    'half a pair',
    { ...everywhere, adminTlsCert: own.adminTlsCert },
    'bad_tls',
    /--admin-tls-cert needs --admin-tls-key/,
  ],
  [
    'the other half',
    { ...everywhere, adminTlsKey: own.adminTlsKey },
    'bad_tls',
    /--admin-tls-key needs --admin-tls-cert/,
  ],
  ['half a pair of learners', { ...everywhere, tlsKey: learners.tlsKey }, 'bad_tls', /--tls-key needs --tls-cert/],
  [
    'two halves of two pairs',
    { ...everywhere, adminTlsCert: own.adminTlsCert, adminTlsKey: learners.tlsKey },
    'bad_tls',
    /^--admin-tls-key .*tls\.key is not the key of the certificate in --admin-tls-cert .*admin\.crt/,
  ],
  ['a pair without a plane', own, 'bad_flag', /--admin-tls-cert is for an admin plane/],
  ['no pair beyond loopback', everywhere, 'unsafe_host', /unencrypted/],
  ['a front proxy without a pair', { ...everywhere, adminListen: '127.0.0.1:0', ...proxy }, 'bad_tls', /needs TLS/],
])('refuses %s', (_, flags, code, message) => {
  expect(() => adminSettingsOf(flags)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

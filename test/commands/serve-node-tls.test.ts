import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkNodeTls } from '../../src/commands/serve/node-tls.ts';
import { readNodeTls } from '../../src/commands/serve/roles.ts';
import { newAuthority } from '../../src/load/service/authority.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const authority = newAuthority('nodes');
const pair = authority.issue();
const damaged = pair.certificate.replace(/(?<=-\n)[^\n]{20}/, 'A'.repeat(20));
const locked = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
}).privateKey;
const der = new X509Certificate(pair.certificate).raw;
const old = authority.issue({ untilMs: Date.now() - 1000, key: pair.key }).certificate;

/** Flags with these texts in the files that they name. */
function flags(texts: { cert?: string | Buffer; key?: string; ca?: string }) {
  const all = { cert: pair.certificate, key: pair.key, ca: authority.certificate, ...texts };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, `${name}.pem`), text);
  const [nodeCert, nodeKey, nodeCa] = ['cert', 'key', 'ca'].map((name) => join(folder, `${name}.pem`));
  return { nodeCert: nodeCert!, nodeKey: nodeKey!, nodeCa: nodeCa! };
}

it.each<[string, Parameters<typeof flags>[0], RegExp]>([
  ['a certificate that is none', { cert: 'hello' }, /^--node-cert .*cert\.pem has no certificate: it is PEM with/],
  ['one in the middle of which a byte is lost', { cert: damaged }, /cert\.pem: certificate 1 of 1 is damaged/],
  ['a damaged one behind a good one', { cert: pair.certificate + damaged }, /certificate 2 of 2 is damaged/],
  ['a key for a certificate', { cert: pair.key }, /cert\.pem has no certificate, but a private key/],
  [
    'a certificate for a key',
    { key: pair.certificate },
    /^--node-key .*key\.pem has no private key that can be read, but a certif/,
  ],
  ['a key that is locked', { key: locked }, /key\.pem is locked by a passphrase; a key without one is needed/],
  ['the key of another', { key: authority.issue().key }, /^--node-key .*key\.pem is not the key of .*cert\.pem/],
  ['a certificate that has expired', { cert: old }, /cert\.pem was good until \d{4}-\d\d-\d\dT.*Z, and no other end/],
  ['an empty authority', { ca: '' }, /^--node-ca .*ca\.pem has no certificate and is empty/],
  ['DER', { cert: der }, /cert\.pem has no certificate, but bytes, as DER/],
  ['an authority that has expired', { ca: old }, /^--node-ca .*ca\.pem was good until /],
])('a trunk refuses %s by its file', (_, texts, message) => {
  const read = () => readNodeTls(flags(texts));
  expect(read).toThrow(expect.objectContaining({ code: 'bad_tls', message: expect.stringMatching(message) }));
});

it('a trunk refuses a certificate that is not good yet', () => {
  const files = readNodeTls(flags({}))!;
  expect(() => checkNodeTls(files, Date.UTC(1999))).toThrow(/cert\.pem is good from 2.*on: .*or a clock is wrong/);
});

it.each([
  ['an authority that has expired beside one that is good', { ca: old + authority.certificate }],
  ['a chain behind its certificate', { cert: pair.certificate + authority.certificate }],
])('a trunk takes %s', (_, texts) => {
  expect(readNodeTls(flags(texts))?.paths.key).toMatch(/key\.pem$/);
});

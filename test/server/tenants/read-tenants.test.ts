import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SpeechfbError } from '../../../src/errors.ts';
import { readTenants } from '../../../src/server/tenants/read-tenants.ts';
import { tenantsJsonSchema } from '../../../src/server/tenants/tenants-file.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const directory = temporaryDirectory();
const file = join(directory, 'tenants.yaml');
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
for (const [name, key] of Object.entries({ pair: pair.publicKey, small: small.publicKey, curve: curve.publicKey })) {
  writeFileSync(join(directory, `${name}.pem`), key.export({ type: 'spki', format: 'pem' }));
}
writeFileSync(join(directory, 'private.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
writeFileSync(join(directory, 'empty.pem'), '');
writeFileSync(join(directory, 'set.json'), JSON.stringify({ keys: [curve.publicKey.export({ format: 'jwk' })] }));

const hash = `$scrypt$ln=14,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const tenant = '- { name: school-a }';
const issuer = (more: string) => `- { issuer: "https://i/", algorithms: [ES256], tenant: school-a, ${more} }`;

describe("a tenants' file", () => {
  it.each([
    ['of no tenants', 'tenants: []', /spec\.tenants/],
    [
      'with a name that is none',
      'tenants: [{ name: "School A" }]',
      /:3:21: spec\.tenants\.0\.name: "School A" is not the name/,
    ],
    ['with a name twice', `tenants: [{ name: a }, { name: a }]`, /:3:34: .*"a" is the name of another tenant/],
    ['with a name that metrics need', 'tenants: [{ name: other }]', /"other" is what metrics call the rest/],
    [
      'with a class that is none',
      'tenants: [{ name: a, class: gold }]',
      /:3:31: .*"gold" is not allowed; allowed: live, free, batch/,
    ],
    ['with a key that is none', 'tenants: [{ name: a, limits: { maxSession: 3 } }]', /did you mean "maxSessions"/],
    [
      'with a cap of nothing',
      'tenants: [{ name: a, limits: { maxSessions: 0 } }]',
      /0 is not a whole number from 1 to 1000000/,
    ],
    [
      'with a rate finer than it is kept',
      'tenants: [{ name: a, limits: { startsPerSecond: 0.15 } }]',
      /0\.15 is not a multiple of 0\.1/,
    ],
    [
      'with a token for its hash',
      'tenants: [{ name: a, tokens: [{ id: 0123456789ab, hash: "sfb_secret" }] }]',
      /hash: is no hash as/,
    ],
    [
      'with a hash that costs seconds',
      `tenants: [{ name: a, tokens: [{ id: 0123456789ab, hash: "${hash.replace('14', '25')}" }] }]`,
      /hash: is no hash as/,
    ],
    [
      'with an id twice',
      `tenants: [{ name: a, tokens: [{ id: 0123456789ab, hash: "${hash}" }, { id: 0123456789ab, hash: "${hash}" }] }]`,
      /0123456789ab is the id of another token/,
    ],
    [
      'with an end that is no time',
      `tenants: [{ name: a, tokens: [{ id: 0123456789ab, hash: "${hash}", expires: tomorrow }] }]`,
      /"tomorrow" is not a time such as/,
    ],
    [
      'with an issuer without keys',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('audience: eu')}`,
      /has 0 of jwksUrl, keys and keysFile/,
    ],
    [
      'with an issuer for nobody',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: curve.pem').replace('tenant: school-a, ', '')}`,
      /has neither tenant and tenants/,
    ],
    [
      'with an issuer for a stranger',
      `tenants: [{ name: b }]\n  issuers:\n  ${issuer('keysFile: curve.pem')}`,
      /"school-a" is no tenant of this file/,
    ],
    [
      'with unsigned tokens',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: curve.pem').replace('ES256', 'none')}`,
      /"none" is not allowed; allowed: RS256/,
    ],
    [
      'with a shared secret',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: curve.pem').replace('ES256', 'HS256')}`,
      /"HS256" is not allowed/,
    ],
    [
      'with keys that anybody can change on their way',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('jwksUrl: "http://i/keys"')}`,
      /is no https:\/\/ URL/,
    ],
    [
      'with a private key',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: private.pem')}`,
      /keysFile: private\.pem holds a private key/,
    ],
    [
      'with a short key',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: small.pem')}`,
      /has 1024 bits; RSA needs at least 2048/,
    ],
    [
      'with an empty file of keys',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: empty.pem')}`,
      /holds neither PEM nor a JWKS/,
    ],
    [
      'with a file of keys that is not there',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: none.pem')}`,
      /none\.pem cannot be read/,
    ],
    [
      'with a JWK that is a secret',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keys: [{ kty: oct, k: c2VjcmV0 }]')}`,
      /is private or a shared secret/,
    ],
    [
      'with a JWK that is none',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keys: [{ kty: EC }]')}`,
      /is no public key that can be read/,
    ],
  ])('%s is refused at its place', (_, spec, problem) => {
    const error = errorOf(`kind: Tenants\nspec:\n  ${spec}\n`, 'eu');
    expect(error.code).toBe('bad_config');
    const problems = error.problems.map(({ where, message }) => `${where}: ${message}`);
    expect(problems.join('\n')).toMatch(problem);
    expect(problems[0]).toMatch(/tenants\.yaml:\d+:\d+: /);
    expect(problems.join('\n')).not.toMatch(/sfb_secret|c2VjcmV0/);
  });

  it.each([
    ['bounds a tenant to regions', 'tenants: [{ name: a, regions: [eu] }]', /this server has no --region/],
    [
      'leaves the audience to it',
      `tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer('keysFile: curve.pem')}`,
      /has no audience, and this server no --region/,
    ],
  ])('that %s is refused by a server without a region', (_, spec, problem) => {
    expect(errorOf(`kind: Tenants\nspec:\n  ${spec}\n`, undefined).problems[0]?.message).toMatch(problem);
  });

  it.each(['pair.pem', 'curve.pem', 'set.json'])('takes the public keys of %s', (keysFile) => {
    const text = `kind: Tenants\nspec:\n  tenants: [${tenant.slice(2)}]\n  issuers:\n  ${issuer(`keysFile: ${keysFile}`)}\n`;
    expect(readTenants(file, text, 'eu').issuers[0]).toMatchObject({
      audience: 'eu',
      keys: [{ kty: expect.any(String) }],
    });
  });

  it('has a schema for editors that is current', () => {
    const published = JSON.parse(
      readFileSync(resolve(import.meta.dirname, '../../../schemas/tenants.schema.json'), 'utf8'),
    );
    expect(published).toEqual(JSON.parse(JSON.stringify(tenantsJsonSchema())));
  });
});

function errorOf(text: string, region: string | undefined): SpeechfbError {
  try {
    readTenants(file, text, region);
  } catch (error) {
    return error as SpeechfbError;
  }
  throw new Error('the file was taken');
}

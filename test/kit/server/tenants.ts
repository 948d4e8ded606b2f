import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { hashSecret } from '../../../src/server/tenants/scrypt-hash.ts';
import { TenantRegistry, type TenantRegistryOptions } from '../../../src/server/tenants/tenant-registry.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** Who signs the tokens of a test, and what the file says of it. */
export type TestIssuer = {
  readonly url: string;
  readonly publicPem: string;
  readonly privateKey: KeyObject;
  /** A token that is good unless changes make it bad. */
  token(claims?: object, header?: { alg?: string; kid?: string }, key?: KeyObject): Promise<string>;
  jwk(kid?: string): Promise<Record<string, unknown>>;
};

const issuerUrl = 'https://login.school.example/';

export function newIssuer(url = issuerUrl): TestIssuer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    url,
    privateKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    token: (claims = {}, header = {}, key = privateKey) =>
      new SignJWT({ ...goodClaims(url), ...claims }).setProtectedHeader({ alg: 'RS256', ...header }).sign(key),
    jwk: async (kid) => ({ ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) }),
  };
}

export function goodClaims(url = issuerUrl): JWTPayload {
  const nowS = Math.floor(Date.now() / 1000);
  return { iss: url, aud: 'eu', sub: 'anna', tenant: 'school-a', exp: nowS + 600 };
}

/** A token by hand, for what no library would sign. */
export function rawToken(header: object, claims: object, sign: (signed: string) => string = () => ''): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign(signed)}`;
}

/** Signed as HS256 with a text as the secret, as the algorithm confusion does it. */
export function hmacSigned(secret: string): (signed: string) => string {
  return (signed) => createHmac('sha256', secret).update(signed).digest('base64url');
}

/** A tenants' file, JSON being YAML too. */
function tenantsText(spec: object): string {
  return JSON.stringify({ kind: 'Tenants', spec });
}

/** An API token and its entry in the file, hashed as cheaply as the file allows. */
export async function apiToken(id: string, more: object = {}): Promise<{ token: string; entry: object }> {
  const token = `sfb_${id}_${'a'.repeat(43)}`;
  return { token, entry: { id, hash: await hashSecret(token, 12), ...more } };
}

export function newRegistry(spec: object, options: Partial<TenantRegistryOptions> = {}): TenantRegistry {
  return new TenantRegistry({
    file: 'tenants.yaml',
    text: tenantsText(spec),
    region: 'eu',
    log: createLog('silent', { write() {} }),
    now: () => performance.now(),
    wallMs: Date.now,
    ...options,
  });
}

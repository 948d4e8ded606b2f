import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { JWK } from 'jose';
import { parseConfig } from '../../config/yaml.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { readKeys, usableKeys } from './issuer-keys.ts';
import { tenantsFile } from './tenants-file.ts';
import type { IssuerSpec, TenantSpec } from './tenants-spec.ts';

/** What a tenants' file says, its keys read. */
export type TenantsConfig = {
  tenants: readonly TenantSpec[];
  issuers: readonly IssuerConfig[];
};

export type IssuerConfig = Omit<IssuerSpec, 'audience' | 'keys'> & {
  audience: string;
  /** Absent where they are behind `jwksUrl`. */
  keys: readonly JWK[] | undefined;
};

/**
 * Reads a tenants' file, of which `text` is what it holds; files that it names stand beside it.
 *
 * @param region of this server; undefined: it has none.
 * @throws SpeechfbError `bad_config` with every problem at once.
 */
export function readTenants(file: string, text: string, region: string | undefined): TenantsConfig {
  const keys = new Map<number, readonly JWK[]>();
  const schema = tenantsFile.superRefine(({ spec }, context) => {
    const refuse: Refuse = (path, message) => context.addIssue({ code: 'custom', path: ['spec', ...path], message });
    checkRegions(spec.tenants, region, refuse);
    for (const [index, issuer] of spec.issuers.entries()) {
      if (issuer.audience === undefined && region === undefined) {
        refuse(['issuers', index], 'has no audience, and this server no --region that could be it');
      }
      const [source, found] = keysOf(issuer, dirname(file));
      if (typeof found === 'string') refuse(['issuers', index, source], found);
      else if (found) keys.set(index, found);
    }
  });
  const { spec } = parseConfig(file, text, schema);
  const issuers = spec.issuers.map(({ audience, ...issuer }, index) => ({
    ...issuer,
    audience: audience ?? region!,
    keys: keys.get(index),
  }));
  return { tenants: spec.tenants, issuers };
}

type Refuse = (path: PropertyKey[], message: string) => void;

function checkRegions(tenants: readonly TenantSpec[], region: string | undefined, refuse: Refuse) {
  for (const [index, { regions }] of tenants.entries()) {
    if (regions === undefined || region !== undefined) continue;
    refuse(['tenants', index, 'regions'], 'bounds where its learners are served, and this server has no --region');
  }
}

/** The keys that stand in the file, or in one beside it; and the field that names them. */
function keysOf({ keys, keysFile }: IssuerSpec, directory: string): ['keys' | 'keysFile', JWK[] | string | undefined] {
  if (keys) return ['keys', usableKeys(keys)];
  if (keysFile === undefined) return ['keysFile', undefined];
  try {
    const found = readKeys(readFileSync(resolve(directory, keysFile), 'utf8'));
    return ['keysFile', typeof found === 'string' ? `${keysFile} ${found}` : found];
  } catch (error) {
    return ['keysFile', `${keysFile} cannot be read: ${fileTrouble(error)}`];
  }
}

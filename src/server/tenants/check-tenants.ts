import type { z } from 'zod';
import { isLoopback } from '../admission/exposure.ts';
import type { TenantsSpec } from './tenants-spec.ts';

/**
 * What no single field can see. Fields that failed their own check are absent here, so every part
 * is looked at with care: all problems of a file come at once.
 */
export function checkTenants(spec: TenantsSpec, context: z.RefinementCtx): void {
  const refuse = (path: PropertyKey[], message: string): void => context.addIssue({ code: 'custom', path, message });
  const tenants = listOf(spec?.tenants);
  const names = tenants.map((tenant) => tenant?.name);
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    if (name === otherTenants)
      refuse(['tenants', index, 'name'], `"${name}" is what metrics call the rest; choose another`);
    if (names.indexOf(name) < index) refuse(['tenants', index, 'name'], `"${name}" is the name of another tenant`);
  }
  checkTokenIds(tenants, refuse);
  const issuers = listOf(spec?.issuers);
  const known = issuers.map((issuer) => issuer?.issuer);
  for (const [index, issuer] of issuers.entries()) {
    if (issuer === undefined) continue;
    const at = (...path: PropertyKey[]): PropertyKey[] => ['issuers', index, ...path];
    if (known.indexOf(issuer.issuer) < index) refuse(at('issuer'), `"${issuer.issuer}" is another issuer's`);
    checkIssuer(issuer, names, (path, message) => refuse(at(...path), message));
  }
}

/** What metrics call the tenants that have no name of their own there. */
const otherTenants = 'other';

type Refuse = (path: PropertyKey[], message: string) => void;

function checkTokenIds(tenants: readonly (TenantsSpec['tenants'][number] | undefined)[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const [index, tenant] of tenants.entries()) {
    for (const [at, token] of listOf(tenant?.tokens).entries()) {
      if (token?.id === undefined) continue;
      if (seen.has(token.id)) refuse(['tenants', index, 'tokens', at, 'id'], `${token.id} is the id of another token`);
      seen.add(token.id);
    }
  }
}

function checkIssuer(
  issuer: TenantsSpec['issuers'][number],
  names: readonly (string | undefined)[],
  refuse: Refuse,
): void {
  const { jwksUrl, keys, keysFile, tenant, tenants } = issuer;
  const sources = [jwksUrl, keys, keysFile].filter((source) => source !== undefined).length;
  if (sources !== 1) refuse([], `has ${sources} of jwksUrl, keys and keysFile; write exactly one`);
  if ((tenant === undefined) === (tenants === undefined)) {
    const which = tenant === undefined ? 'neither' : 'both';
    refuse([], `has ${which} tenant and tenants; write one: for whom may this issuer speak?`);
  }
  const unknown = (name: string): string => `"${name}" is no tenant of this file`;
  if (tenant !== undefined && !names.includes(tenant)) refuse(['tenant'], unknown(tenant));
  for (const [index, name] of listOf(tenants).entries()) {
    if (name !== undefined && !names.includes(name)) refuse(['tenants', index], unknown(name));
  }
  if (jwksUrl !== undefined && !isSafeUrl(jwksUrl)) {
    refuse(['jwksUrl'], `"${jwksUrl}" is no https:// URL without a user; http:// is for this machine alone`);
  }
}

/** Whoever can change the keys on their way can make tokens. */
function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function listOf<Item>(list: readonly Item[] | undefined): readonly (Item | undefined)[] {
  return Array.isArray(list) ? list : [];
}

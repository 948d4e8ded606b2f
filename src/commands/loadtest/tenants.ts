import type { TenantShare } from '../../load/scenario/tenants-schema.ts';
import type { ServiceTenants } from '../../load/service/service.ts';
import { newApiToken } from '../../server/tenants/api-tokens.ts';

/** The tenants of a scenario's server as its file has them, each with a token of this test. */
export async function tenantsFor(specs: readonly TenantShare[]): Promise<ServiceTenants> {
  const made = await Promise.all(specs.map(async (spec) => ({ spec, secret: await newApiToken() })));
  const tenants = made.map(({ spec: { name, weight: _, ...limits }, secret: { id, hash } }) => {
    return { name, limits, tokens: [{ id, hash }] };
  });
  // JSON is YAML.
  const file = JSON.stringify({ apiVersion: 'speechfb.dev/v1alpha1', kind: 'Tenants', spec: { tenants } });
  return { file, tokens: Object.fromEntries(made.map(({ spec, secret }) => [spec.name, secret.token])) };
}

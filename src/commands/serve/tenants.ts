import { TenantRegistry } from '../../server/tenants/tenant-registry.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Reloads } from './reloads.ts';
import type { ServeSettings } from './settings.ts';

/** @throws SpeechfbError `bad_config` */
export function tenantsOf({ tenants, role }: ServeSettings, log: Log): TenantRegistry | undefined {
  if (!tenants) return undefined;
  const now = (): number => performance.now();
  return new TenantRegistry({
    file: tenants.path,
    text: tenants.text,
    region: role.region,
    log,
    now,
    wallMs: Date.now,
  });
}

/** Lets the registry follow its file. */
export function followTenants(
  registry: TenantRegistry | undefined,
  { tenants }: ServeSettings,
  reloads: Reloads,
): void {
  if (!registry || !tenants) return;
  const take = ([text = '']: readonly string[]): void => registry.reload(text);
  reloads.add({ what: "tenants' file", paths: [tenants.path], texts: [tenants.text], take });
}

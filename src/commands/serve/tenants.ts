import type { TenantChanges, TenantsTarget } from '../../admin/target.ts';
import { readText } from '../../config/read-chunks.ts';
import { readTenants } from '../../server/tenants/read-tenants.ts';
import { TenantRegistry } from '../../server/tenants/tenant-registry.ts';
import type { TenantSpec } from '../../server/tenants/tenants-spec.ts';
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

/**
 * Lets the registry follow its file.
 *
 * @param onTaken the registry has taken this text up
 */
export function followTenants(
  registry: TenantRegistry | undefined,
  { tenants, role }: ServeSettings,
  reloads: Reloads,
  onTaken: (text: string) => void = () => {},
): void {
  if (!registry || !tenants) return;
  const take = ([text = '']: readonly string[]): void => {
    registry.reload(text);
    onTaken(text);
  };
  const diff = ([text = '']: readonly string[]): object | undefined => {
    const { added, removed, changed, others } = differenceOf(registry, text, {
      path: tenants.path,
      region: role.region,
    });
    return others ? { added, removed, changed_tenants: changed, others } : undefined;
  };
  const audited = { action: 'tenants.reload', target: role.role, diff };
  reloads.add({ what: "tenants' file", paths: [tenants.path], texts: [tenants.text], take, audited });
}

/** The tenants for the admin plane. */
export function tenantsTarget(
  registry: TenantRegistry | undefined,
  { tenants, role }: ServeSettings,
  source: TenantsSource,
): TenantsTarget | undefined {
  if (!registry || !tenants) return undefined;
  return {
    list: () =>
      registry.tenants.map(({ name, class: tenantClass, weight, limits, perUser }) => {
        return { name, class: tenantClass, weight, caps: limits, userCaps: perUser };
      }),
    heardTodayMs: (tenant, user) => source.heardTodayMs(tenant, user),
    reread() {
      const text = readText(tenants.path, "tenants' file");
      return {
        changes: differenceOf(registry, text, { path: tenants.path, region: role.region }),
        take() {
          registry.reload(text);
          source.takeTenants?.(text);
        },
      };
    },
  };
}

type TenantsSource = Pick<TenantsTarget, 'heardTodayMs'> & {
  /** This text has been taken up here: other processes are to take it up, too. */
  takeTenants?(text: string): void;
};

/** @throws SpeechfbError `bad_config` */
function differenceOf(
  registry: TenantRegistry,
  text: string,
  { path, region }: { path: string; region: string | undefined },
): TenantChanges {
  const { tenants: then } = readTenants(path, text, region);
  return { ...changesOf(registry.tenants, then), others: text !== registry.text };
}

function changesOf(now: readonly TenantSpec[], then: readonly TenantSpec[]): Omit<TenantChanges, 'others'> {
  const before = new Map(now.map((tenant) => [tenant.name, JSON.stringify(tenant)]));
  const names = new Set(then.map(({ name }) => name));
  return {
    added: then.flatMap(({ name }) => (before.has(name) ? [] : [name])),
    removed: [...before.keys()].filter((name) => !names.has(name)),
    changed: then.flatMap((tenant) => {
      const was = before.get(tenant.name);
      return was !== undefined && was !== JSON.stringify(tenant) ? [tenant.name] : [];
    }),
  };
}

import type { DrainDocument, SessionsDocument, StatusDocument, TenantDocument, TenantsDocument } from './documents.ts';
import type { DrainState } from './drain-control.ts';
import type { AdminTarget, TargetSession, TargetStatus, TenantCaps, TenantTerms } from './target.ts';

export function drainOf({ phase, openAtStart, open, sinceMs, leftMs }: DrainState): DrainDocument {
  return { phase, open_at_start: openAtStart, open, since_ms: sinceMs, left_ms: leftMs };
}

export function statusOf(
  status: TargetStatus,
  { role, version }: Pick<AdminTarget, 'role' | 'version'>,
): Omit<StatusDocument, 'up_ms' | 'drain' | 'audit'> {
  const { notReady, model, sockets, sessions, lanes, sessionLimit, level, slots, nodes, gateways } = status;
  return {
    role,
    version,
    ready: notReady === undefined,
    not_ready: notReady ?? null,
    model: model ?? null,
    sockets: sockets ?? null,
    sessions: sessions ?? null,
    lanes: lanes ?? null,
    session_limit: finite(sessionLimit),
    ladder_step: level ?? null,
    slots: slots ? { slots: slots.slots, free: slots.free, refused: slots.refused, trunks: slots.trunks } : null,
    nodes: nodes.map(({ address, isUp, isDraining, model: runs = null, ...rest }) => ({
      address,
      up: isUp,
      draining: isDraining,
      ...rest,
      model: runs,
    })),
    gateways: gateways.map((gateway) => ({
      gateway: gateway.gateway,
      up: gateway.isUp,
      ready: gateway.isUp && gateway.notReady === undefined,
      not_ready: gateway.isUp ? (gateway.notReady ?? null) : 'it does not answer',
      sockets: gateway.sockets,
      sessions: gateway.sessions,
      session_limit: finite(gateway.sessionLimit),
      ladder_step: gateway.level,
    })),
  };
}

/** The oldest first. */
export function sessionsOf(sessions: readonly TargetSession[], limit: number): SessionsDocument {
  const oldest = [...sessions].sort((a, b) => b.ageMs - a.ageMs);
  return {
    sessions: oldest.slice(0, limit).map(({ id, state, lane, tenant, ageMs, node, gateway }) => {
      return { id, state, lane, tenant: tenant ?? null, age_ms: ageMs, node: node ?? null, gateway: gateway ?? null };
    }),
    left_out: Math.max(0, oldest.length - limit),
  };
}

/**
 * What each tenant has open and has used beside what it may have, those with most open first.
 *
 * @param known the tenants of the file, with the sound that was heard of each today
 */
export function usageOf(
  sessions: readonly TargetSession[],
  known: readonly (TenantTerms & { heardTodayMs: number })[],
): TenantsDocument {
  const none = { ...noneOpen, users: 0, audio_minutes_today: null };
  const byTenant = new Map<string | undefined, TenantsDocument['tenants'][number]>(
    known.map((terms) => {
      const minutes = minutesOf(terms.heardTodayMs);
      return [terms.name, { tenant: terms.name, ...none, audio_minutes_today: minutes, terms: termsOf(terms) }];
    }),
  );
  const users = new Set<string>();
  for (const { tenant, state, user, ageMs } of sessions) {
    const own = byTenant.get(tenant) ?? { tenant: tenant ?? null, ...none, terms: null };
    if (user !== undefined && !users.has(user)) own.users += 1;
    if (user !== undefined) users.add(user);
    add(own, state, ageMs);
    byTenant.set(tenant, own);
  }
  return { tenants: [...byTenant.values()].sort((a, b) => openOf(b) - openOf(a)) };
}

/**
 * What each user of a tenant has open, those with most first.
 *
 * @param heardTodayMs of a user; undefined: nobody counts it
 */
export async function usersOf(
  sessions: readonly TargetSession[],
  limit: number,
  heardTodayMs: ((user: string) => Promise<number>) | undefined,
): Promise<Pick<TenantDocument, 'users' | 'left_out'>> {
  const byUser = new Map<string, TenantDocument['users'][number]>();
  for (const { user, state, ageMs } of sessions) {
    if (user === undefined) continue;
    const own = byUser.get(user) ?? { user, ...noneOpen, audio_minutes_today: null };
    add(own, state, ageMs);
    byUser.set(user, own);
  }
  const users = [...byUser.values()].sort((a, b) => openOf(b) - openOf(a) || b.oldest_ms - a.oldest_ms);
  const shown = users.slice(0, limit).map(async (own) => {
    return heardTodayMs ? { ...own, audio_minutes_today: minutesOf(await heardTodayMs(own.user)) } : own;
  });
  return { users: await Promise.all(shown), left_out: Math.max(0, users.length - limit) };
}

function minutesOf(ms: number): number {
  return Math.round(ms / 600) / 100;
}

type Open = Pick<TenantDocument['users'][number], keyof typeof noneOpen>;

const noneOpen = { streaming: 0, detached: 0, ending: 0, oldest_ms: 0 };

function add(own: Open, state: TargetSession['state'], ageMs: number): void {
  own[state] += 1;
  own.oldest_ms = Math.max(own.oldest_ms, ageMs);
}

function openOf({ streaming, detached, ending }: Open): number {
  return streaming + detached + ending;
}

function termsOf({ class: lane, weight, caps, userCaps }: TenantTerms) {
  return { class: lane, weight, limits: capsOf(caps), per_user: capsOf(userCaps) };
}

function capsOf({ maxSessions, startsPerSecond, audioMinutesPerDay }: TenantCaps) {
  return {
    max_sessions: maxSessions ?? null,
    starts_per_second: startsPerSecond ?? null,
    audio_minutes_per_day: audioMinutesPerDay ?? null,
  };
}

/** The limits in force; null: none. */
export function policyOfLimits(limits: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, finite(value)]));
}

export function finite(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

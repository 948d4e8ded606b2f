import type { Caps, Membership } from '../admission/membership.ts';
import type { Refusal } from '../refusal.ts';

/**
 * What tenants and their users may have. Counting may take a while, so nothing of it is done for a
 * frame.
 */
export type Quota = {
  /** Why no session of this caller may start now, as far as that is known without counting. */
  spent(member: Membership): Refusal | undefined;
  /** Charges a start, good or bad, and takes its place; or says why there may be none. */
  start(member: Membership): Promise<Refusal | GrantedStart>;
  /** The place of a session that comes from elsewhere: no cap refuses what has begun. */
  returned(member: Membership): GrantedStart;
  /** Sound was heard, ms. */
  heard(member: Membership, ms: number): void;
  /**
   * The sound that was heard today, UTC, of a tenant with all of its users, ms; or of one of them,
   * by its digest, if its sound is capped and it was heard here.
   */
  heardTodayMs(tenant: string, user?: string): Promise<number>;
  /** To be called about once a second. */
  look(): void;
};

/** A place that is counted until it is released, once. */
export type GrantedStart = { release(): void };

/** One whose caps are counted: a user, or a tenant. */
export type Party = { who: 'this user' | 'this tenant'; key: string; caps: Caps };

/** A user first: what one asks for too often is not taken from the others of the tenant. */
export function partiesOf({ tenant, user, caps, userCaps }: Membership): Party[] {
  const whole: Party = { who: 'this tenant', key: tenant, caps };
  return user === undefined ? [whole] : [{ who: 'this user', key: `${tenant}/${user}`, caps: userCaps }, whole];
}

/** How many starts there may be within which time; undefined: any number. */
export function startWindowOf({ startsPerSecond }: Caps): { most: number; withinMs: number } | undefined {
  if (startsPerSecond === undefined) return undefined;
  const seconds = Number.isInteger(startsPerSecond) ? 1 : fractionalSeconds;
  return { most: Math.round(startsPerSecond * seconds), withinMs: seconds * 1000 };
}

/** @param heardMs of the day */
export function isUsedUp({ audioMinutesPerDay: most }: Caps, heardMs: number): boolean {
  return most !== undefined && heardMs >= most * minuteMs;
}

export function sessionsCapped({ who, caps }: Party, count: number, retryAfterMs: number): Refusal {
  const message = `${who} has ${count} sessions; its cap is ${caps.maxSessions} (maxSessions)`;
  return { code: 'tenant_cap', message, retryAfterMs };
}

export function startsCapped({ who, caps }: Party, waitMs: number): Refusal {
  const message = `${who} starts more than ${caps.startsPerSecond} sessions a second (startsPerSecond)`;
  return { code: 'tenant_cap', message, retryAfterMs: Math.max(1, waitMs) };
}

/** @param leftMs until the day is over */
export function soundUsedUp({ who, caps }: Party, leftMs: number): Refusal {
  const most = caps.audioMinutesPerDay;
  const message = `${who} has used its ${most} minutes of sound of this day, UTC (audioMinutesPerDay)`;
  return { code: 'quota', message, retryAfterMs: Math.max(1, leftMs) };
}

export const minuteMs = 60_000;
const fractionalSeconds = 10;

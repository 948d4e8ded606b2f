import type { Lane } from '../../protocol/client-messages.ts';
import type { HttpRefusal } from './http-refusal.ts';

/** The classes of tenants; when there are too many, `live` stays longest and `batch` goes first. */
export const tenantClasses = ['live', 'free', 'batch'] as const;

export type TenantClass = (typeof tenantClasses)[number];

/** The most that a tenant, or one of its users, may have; what is absent is not bounded. */
export type Caps = {
  /** At once. */
  maxSessions?: number | undefined;
  startsPerSecond?: number | undefined;
  /** Sound, in minutes from midnight UTC to midnight. */
  audioMinutesPerDay?: number | undefined;
};

/** The tenant that a caller belongs to and on what terms, as plain data for other processes. */
export type Membership = {
  tenant: string;
  /** The user among the tenant's own; undefined: the token is the tenant's as a whole. */
  user: string | undefined;
  class: TenantClass;
  /** Its part of the places where there are too few, in proportion to those of the others. */
  weight: number;
  /** Whether there are others who want the same places. */
  isShared: boolean;
  caps: Caps;
  userCaps: Caps;
  /** The lane that all of its sessions go in, whatever they ask for; undefined: as they ask. */
  lane: Lane | undefined;
};

/** The caller that has shown a token that is good. */
export type Holder = {
  /** The name that its sessions belong to. */
  owner: string;
  member: Membership;
};

/** What knows who holds a token, or why it is no good; a promise where that takes work. */
export type TokenHolders = {
  /** @param address that it came from, as callers are counted. */
  holderOf(token: string, address: string | undefined): Holder | HttpRefusal | Promise<Holder | HttpRefusal>;
};

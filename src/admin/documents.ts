import { z } from 'zod';

// What the admin plane answers; whoever asks checks it by the same schemas, and passes over keys
// of a later version.

const count = z.int().min(0);
const ms = z.number().min(0);

export const drainDocument = z.object({
  phase: z.enum(['serving', 'emptying', 'leaving']),
  open_at_start: count,
  open: count,
  since_ms: ms,
  left_ms: ms,
});
export type DrainDocument = z.infer<typeof drainDocument>;

const head = z.object({ seq: count, hash: z.string() });

export const statusDocument = z.object({
  role: z.enum(['all', 'gateway', 'inference']),
  version: z.string(),
  up_ms: ms,
  ready: z.boolean(),
  /** Why not. */
  not_ready: z.string().nullable(),
  model: z.object({ name: z.string(), version: z.string(), provider: z.string() }).nullable(),
  sockets: count.nullable(),
  sessions: z.object({ streaming: count, detached: count, ending: count }).nullable(),
  lanes: z.object({ live: count, batch: count }).nullable(),
  /** Sessions that it believes it carries; null: not of this role, or no limit. */
  session_limit: count.nullable(),
  ladder_step: count.nullable(),
  slots: z.object({ slots: count, free: count, refused: count, trunks: count }).nullable(),
  nodes: z.array(
    z.object({
      address: z.string(),
      up: z.boolean(),
      draining: z.boolean(),
      slots: count,
      free: count,
      leases: count,
      /** Name and version; null: not known. */
      model: z.string().nullable(),
    }),
  ),
  gateways: z.array(
    z.object({
      gateway: count,
      up: z.boolean(),
      ready: z.boolean(),
      not_ready: z.string().nullable(),
      sockets: count,
      sessions: count,
      session_limit: count.nullable(),
      ladder_step: count,
    }),
  ),
  drain: drainDocument,
  /** The last entry of the audit log; null: there is no log. */
  audit: head.nullable(),
});
export type StatusDocument = z.infer<typeof statusDocument>;

export const sessionsDocument = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['streaming', 'detached', 'ending']),
      lane: z.enum(['live', 'batch']),
      tenant: z.string().nullable(),
      age_ms: ms,
      node: z.string().nullable(),
      gateway: count.nullable(),
    }),
  ),
  /** How many more there are. */
  left_out: count,
});
export type SessionsDocument = z.infer<typeof sessionsDocument>;

/** Null: not bounded. */
const caps = z.object({
  max_sessions: z.number().nullable(),
  starts_per_second: z.number().nullable(),
  audio_minutes_per_day: z.number().nullable(),
});

const open = { streaming: count, detached: count, ending: count, oldest_ms: ms };

export const tenantsDocument = z.object({
  tenants: z.array(
    z.object({
      tenant: z.string().nullable(),
      ...open,
      /** Learners whom the tenant's tokens tell apart, with a session here. */
      users: count,
      /** From midnight UTC, at all servers that share a store; null as `terms`. */
      audio_minutes_today: z.number().min(0).nullable(),
      /** Null where it is not of the tenants' file. */
      terms: z.object({ class: z.string(), weight: z.number(), limits: caps, per_user: caps }).nullable(),
    }),
  ),
});
export type TenantsDocument = z.infer<typeof tenantsDocument>;

/** One tenant, and those of its users who have a session here. */
export const tenantDocument = tenantsDocument.extend({
  /** The users with most open come first, each as a digest of the tenant's and its name. */
  users: z.array(
    z.object({
      user: z.string(),
      ...open,
      /** As that of the tenant; null where no cap has it counted. */
      audio_minutes_today: z.number().min(0).nullable(),
    }),
  ),
  /** How many more there are. */
  left_out: count,
});
export type TenantDocument = z.infer<typeof tenantDocument>;

export const auditDocument = z.object({
  entries: z.array(
    z.object({
      seq: count,
      at: z.string(),
      actor: z.string(),
      action: z.string(),
      target: z.string(),
      diff: z.unknown(),
      reason: z.string(),
      prev: z.string(),
      hash: z.string(),
    }),
  ),
  head,
});
export type AuditDocument = z.infer<typeof auditDocument>;

export const reloadAnswer = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  /** Tenants whose terms or tokens are different. */
  changed_tenants: z.array(z.string()),
  changed: z.boolean(),
  audit: head.nullable(),
});

export const drainAnswer = z.object({ drain: drainDocument, changed: z.boolean(), audit: head.nullable() });

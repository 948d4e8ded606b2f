import type { SessionView } from '../server/gateway/outside/view.ts';
import type { RoutingView } from '../server/hearing/router.ts';
import type { LimitBook } from '../server/limit-book.ts';
import type { NodeView } from '../server/node-directory.ts';

/** What an admin plane is the plane of. */
export type AdminTarget = {
  role: 'all' | 'gateway' | 'inference';
  version: string;
  status(): Promise<TargetStatus>;
  /** Absent where there are none: a node knows slots. */
  sessions?(): Promise<readonly TargetSession[]>;
  /** What writes transcripts, at each gateway; empty: no policy decides it. Absent for a node. */
  routing?(): Promise<readonly RoutingView[]>;
  /** The policy that decides it, where operators may change it. */
  policies?: PolicyTarget | undefined;
  /** Absent where the server knows no tenants. */
  tenants?: TenantsTarget | undefined;
  /** The limits in force, as docs/protocol.md names them; Infinity: none. */
  policy(): Readonly<Record<string, number>>;
  /** The same with who has set which; absent for a node. */
  limits?: LimitBook | undefined;
  /** What is open now and would be lost if the process ended: sessions, or slots that are taken. */
  open(): number;
  /** Lets nobody new in, or does again. */
  cordon(isCordoned: boolean): void;
  /** Goes away as after SIGTERM. */
  leave(): void;
};

export type TargetStatus = {
  /** Why it takes nobody new; undefined: it does. */
  notReady: string | undefined;
  /** Absent while it warms up. */
  model: { name: string; version: string; provider: string } | undefined;
  /** Absent for a node. */
  sockets?: number;
  sessions?: { streaming: number; detached: number; ending: number };
  /** Sessions that stream, by lane. */
  lanes?: { live: number; batch: number };
  /** Sessions that it believes it carries. */
  sessionLimit?: number;
  /** What its sessions are spared, 0: nothing. */
  level?: number;
  /** How long sound stands in a queue now, ms. */
  queueDelayMs?: number | undefined;
  /** Seconds of sound that are scored a second; absent: it cannot tell. */
  audioRate?: number | undefined;
  /** Where sessions are scored at nodes, and for a node its own. */
  slots: { slots: number; free: number; refused: number; trunks: number } | undefined;
  nodes: readonly NodeView[];
  /** Where it is several processes. */
  gateways: readonly GatewayStatus[];
};

/** One of several gateways; `isUp` is false while it does not answer. */
export type GatewayStatus = {
  gateway: number;
  isUp: boolean;
  notReady: string | undefined;
  sockets: number;
  sessions: number;
  sessionLimit: number;
  level: number;
};

/** A session, and the gateway that has it where there are several. */
export type TargetSession = SessionView & { gateway: number | undefined };

/** The routing policy of a server. */
export type PolicyTarget = {
  view(): PolicyView;
  /**
   * Has the policy of that text take effect, once it is in the audit log.
   * @throws SpeechfbError with what is wrong with it: nothing is different
   */
  set(file: string, text: string, author: { actor: string; reason: string }): Promise<{ changes: readonly object[] }>;
};

/** A policy that is in force, and how it came to be. */
export type PolicyView = {
  name: string;
  version: number;
  origin: string;
  /** The document, without secrets. */
  policy: unknown;
  /** Canaries that were rolled back and stay away. */
  withdrawn: readonly string[];
  /** How the canary does; undefined: there is none, or nobody has looked yet. */
  canary: { name: string; verdict: string; why: string; figures: Readonly<Record<string, number>> } | undefined;
};

/** The tenants of a server, as their file has them. */
export type TenantsTarget = {
  list(): readonly TenantTerms[];
  /**
   * The sound that was heard today, UTC, of a tenant, ms, or of one of its users whose sound is
   * capped, by the digest that its sessions have: at all servers that share a store.
   */
  heardTodayMs(tenant: string, user?: string): Promise<number>;
  /**
   * Reads the file again: what would be different, and what takes it up.
   * @throws SpeechfbError `bad_config`, `unreadable_file`: nothing is different
   */
  reread(): { changes: TenantChanges; take(): void };
};

/** What a tenant and each of its users may have; absent: as much as there is. */
export type TenantTerms = { name: string; class: string; weight: number; caps: TenantCaps; userCaps: TenantCaps };

export type TenantCaps = {
  maxSessions?: number | undefined;
  startsPerSecond?: number | undefined;
  audioMinutesPerDay?: number | undefined;
};

/** Names of tenants; `others`: whether anything else of the file is different. */
export type TenantChanges = { added: string[]; removed: string[]; changed: string[]; others: boolean };

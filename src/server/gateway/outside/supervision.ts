import type { Socket } from 'node:net';
import type { EngineFault } from '../../../acoustic/engine/types.ts';
import type { Lane } from '../../../protocol/client-messages.ts';
import type { MetricsDocument } from '../../../telemetry/metrics.ts';
import type { Caller, Spending } from '../../admission/accounts.ts';
import type { HttpRefusal } from '../../admission/http-refusal.ts';
import type { Membership } from '../../admission/membership.ts';
import type { Refusal } from '../../refusal.ts';
import type { GatewayView, SessionView } from './view.ts';

/**
 * What a gateway asks of its supervisor where a server has several gateways, each a process of its
 * own behind one port. What all gateways share is decided there; a server of one process has none.
 */
export type Supervision = {
  /** Which gateway this is, from 1. */
  readonly gateway: number;
  /** The gateway is there: connections come from here on. */
  attach(gateway: SupervisedGateway): void;
  /** A place among the connections of the whole server, or why there is none. */
  connection(caller: Caller, claims: SharedClaims): Promise<HttpRefusal | SharedPlace>;
  /** The same for a session, or which gateway has already begun it. */
  session(caller: Caller, start: SharedStart): Promise<Refusal | SharedPlace | BegunElsewhere>;
  /** Where that gateway takes sockets that are passed on; undefined: there is none. */
  doorOf(gateway: number): Door | undefined;
  /** Whether sessions of other gateways wait for their clients to come back. */
  othersDetached(): boolean;
  /** Metrics of the whole server in the exposition format. */
  metrics(): Promise<{ body: string; contentType: string }>;
  /** Why the server as a whole takes no new session; undefined: it does. */
  notReady(): Promise<string | undefined>;
  /** Lets the other gateways suffer the same. */
  injectFault(fault: EngineFault): void;
};

/** What a supervisor asks of a gateway. */
export type SupervisedGateway = {
  /** Takes a connection that was accepted elsewhere and of which nothing was read. */
  take(socket: Socket): void;
  /** Frees the place of this caller's that is needed least; undefined: none may go. */
  giveUp(asked: AskedFor): WhenFree | undefined;
  metrics(): Promise<MetricsDocument>;
  state(): GatewayState;
  /** What callers have taken of their rates here since this was asked before. */
  takeSpent(): readonly Spending[];
  /** What tenants have used here since this was asked before. */
  takeUsed(): readonly Used[];
  /** Charges callers for what they have taken elsewhere. */
  owe(spending: readonly Spending[]): void;
  injectFault(fault: EngineFault): void;
  view(): GatewayView;
  sessions(): readonly SessionView[];
  /** Lets nobody new in, or does again. */
  cordon(isCordoned: boolean): void;
  /** The TCP port of this machine where it takes sockets that are passed on. */
  readonly doorPort: number;
  /** What those who pass on must show. */
  readonly doorSecret: string;
};

/** Sound that was heard for a tenant, or for one of its users. */
export type Used = { member: Membership; ms: number };

export type SharedWhat = 'connection' | 'session';

/**
 * The caller of whom a place is wanted, and whether a session that speaks may go for it, if it
 * stays no longer than this rank in `shedOrder`.
 */
export type AskedFor = { what: SharedWhat; caller: Caller; maySpeak: boolean; rank: number };

/** When a place that was asked for is free: at once, or as soon as its session has gone. */
export type WhenFree = 'now' | 'soon';

/** A place that was granted; the function gives it back, once. */
export type SharedPlace = { free(): void };

export type SharedClaims = {
  /** Whether the caller names a session that may be there. */
  isResume: boolean;
  /** Whether it could come back to one without naming it. */
  mayResume: boolean;
  /** Whether its session could be heard by others, without a place of the own model. */
  maySpill: boolean;
  /** Whether another session of its gateway would go for one of this caller's. */
  sendsAway: boolean;
  lane: Lane;
};

export type SharedStart = {
  lane: Lane;
  /** About how many phones its text has. */
  phones: number;
  /** A digest of its idempotency key. */
  key: string | undefined;
  /** Whether it is there already, and comes from elsewhere. */
  isReturn: boolean;
  /** Whether others hear it, so that it takes no place of the own model. */
  isElsewhere: boolean;
  /** Whether another session of its gateway goes for it. */
  sendsAway: boolean;
};

export type BegunElsewhere = { gateway: number };

export type Door = { port: number; secret: string };

export type GatewayState = {
  notReady: string | undefined;
  /** WebSockets, and connections that are none (yet). */
  connections: number;
  sessions: number;
  /** Sessions among them that wait for their clients to come back. */
  detached: number;
  /** Sessions that it believes it carries. */
  sessionLimit: number;
  /** What its sessions are spared, 0 to 4. */
  level: number;
};

/** The id of a session, whose beginning names the gateway that has it. */
export function idPrefix(gateway: number): string {
  return `${gateway}.`;
}

/** The gateway that such an id names; undefined: none. */
export function gatewayOf(sessionId: string): number | undefined {
  const number = /^([1-9]\d{0,2})\./.exec(sessionId)?.[1];
  return number === undefined ? undefined : Number(number);
}

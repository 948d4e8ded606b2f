import type { FaultKind } from '../../results/fault-record.ts';
import { cutNetwork } from './cut-network.ts';
import type { FaultFields, LearnerFault, PlannedFields, ServerFault } from './definition.ts';
import { drainGateway } from './drain-gateway.ts';
import { drainNode } from './drain-node.ts';
import { dropMessages } from './drop-messages.ts';
import { expireCertificates } from './expire-certificates.ts';
import { failInference } from './fail-inference.ts';
import { failOverRedis } from './fail-over-redis.ts';
import { forgetLeases } from './forget-leases.ts';
import { killGateway } from './kill-gateway.ts';
import { killInference } from './kill-inference.ts';
import { killNode } from './kill-node.ts';
import { killRedis } from './kill-redis.ts';
import { killZone } from './kill-zone.ts';
import { losePackets } from './lose-packets.ts';
import { reconnect } from './reconnect.ts';
import { slowInference } from './slow-inference.ts';
import { slowRedis } from './slow-redis.ts';
import { stallInference } from './stall-inference.ts';
import { stepClock } from './step-clock.ts';
import { stopGateway } from './stop-gateway.ts';
import { stopNode } from './stop-node.ts';
import { stopRedis } from './stop-redis.ts';
import { stopServer } from './stop-server.ts';

/** In the order in which schemas and messages list them. */
const table = [
  reconnect,
  cutNetwork,
  dropMessages,
  losePackets,
  stallInference,
  slowInference,
  failInference,
  killInference,
  stopServer,
  killNode,
  stopNode,
  drainNode,
  forgetLeases,
  killGateway,
  stopGateway,
  drainGateway,
  killZone,
  killRedis,
  stopRedis,
  slowRedis,
  failOverRedis,
  expireCertificates,
  stepClock,
] as const;

type Listed = (typeof table)[number];

/** What a scenario calls a fault. */
export type FaultKey = Listed['key'];

/** A kind of fault, whichever. */
export type FaultDefinition = (LearnerFault | ServerFault) & { readonly key: FaultKey };

/** A fault with its own values, as plans hold it: `{ kind: 'cut-network', forMs: 400 }`. */
export type LearnerFaultDetails = DetailsOf<Extract<Listed, { target: 'learners' }>>;
export type ServerFaultDetails = DetailsOf<Extract<Listed, { target: 'server' }>>;

export const faultTable: readonly FaultDefinition[] = table;

export function learnerFault(kind: LearnerFaultDetails['kind']): LearnerFault {
  return byKind[kind] as LearnerFault;
}

export function serverFault(kind: ServerFaultDetails['kind']): ServerFault {
  return byKind[kind] as ServerFault;
}

type DetailsOf<F> = F extends { name: infer N; fields: infer S extends FaultFields }
  ? { kind: N } & PlannedFields<S>
  : never;

const byKind = Object.fromEntries(table.map((fault) => [fault.name, fault])) as Record<FaultKind, FaultDefinition>;

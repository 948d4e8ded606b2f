import type { FaultKind } from '../../results/fault-record.ts';
import { cutNetwork } from './cut-network.ts';
import type { FaultFields, LearnerFault, PlannedFields, ServerFault } from './definition/definition.ts';
import { dropMessages } from './drop-messages.ts';
import { losePackets } from './lose-packets.ts';
import { reconnect } from './reconnect.ts';
import { drainGateway } from './server/drain-gateway.ts';
import { drainNode } from './server/drain-node.ts';
import { expireCertificates } from './server/expire-certificates.ts';
import { failInference } from './server/fail-inference.ts';
import { failOverRedis } from './server/fail-over-redis.ts';
import { forgetLeases } from './server/forget-leases.ts';
import { killGateway } from './server/kill-gateway.ts';
import { killInference } from './server/kill-inference.ts';
import { killKafka } from './server/kill-kafka.ts';
import { killNode } from './server/kill-node.ts';
import { killRedis } from './server/kill-redis.ts';
import { killWorker } from './server/kill-worker.ts';
import { killZone } from './server/kill-zone.ts';
import { slowInference } from './server/slow-inference.ts';
import { slowRedis } from './server/slow-redis.ts';
import { stallInference } from './server/stall-inference.ts';
import { stepClock } from './server/step-clock.ts';
import { stopGateway } from './server/stop-gateway.ts';
import { stopKafka } from './server/stop-kafka.ts';
import { stopNode } from './server/stop-node.ts';
import { stopRedis } from './server/stop-redis.ts';
import { stopServer } from './server/stop-server.ts';

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
  killKafka,
  stopKafka,
  killWorker,
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

import type { z } from 'zod';
import type { FaultKind } from '../../../results/fault-record.ts';

/** Schemas of the keys that a fault has of its own, by their names in YAML. */
export type FaultFields = Readonly<Record<string, z.ZodType>>;

/**
 * The values of those keys as a plan holds them: `for` becomes `forMs`, the others keep their
 * names.
 */
export type PlannedFields<F extends FaultFields> = {
  [K in keyof F as K extends 'for' ? 'forMs' : K]: z.output<F[K]>;
};

type CommonFields<N extends FaultKind, K extends string, F extends FaultFields> = {
  /** In plans, recordings and reports. */
  readonly name: N;
  /** In YAML. */
  readonly key: K;
  /** One sentence for the JSON Schema: what happens, and to what. */
  readonly about: string;
  /** Whether apps lose their sockets by it, and resume. */
  readonly cutsSockets?: true;
  /**
   * Keys besides `at`, `every` and, for learners, `learners` and `network`. `for` is how long the
   * fault lasts.
   */
  readonly fields: F;
};

/** A fault of the app or its network, which hits a share of the learners. */
export type LearnerFault<
  N extends FaultKind = FaultKind,
  K extends string = string,
  F extends FaultFields = FaultFields,
> = CommonFields<N, K, F> & {
  readonly target: 'learners';
  /**
   * Learners without a simulated network get an ideal one, since the fault acts on the simulation.
   */
  readonly simulated?: true;
  /** Without `learners` it affects everybody who is there; other faults must name their targets. */
  readonly everybody?: true;
  /**
   * Makes it happen to one learner now, which was planned for `atMs`; false when there was nothing
   * to affect.
   */
  inject(learner: FaultyLearner, planned: PlannedFields<F> & { atMs: number }): boolean;
};

/** What of the embedded server a fault needs; what there are several of it names by number. */
export type FaultPart = 'gateway' | 'node' | 'worker' | 'zone' | 'store' | 'queue' | 'tls';

/** A fault of the server that the test itself has started. */
export type ServerFault<
  N extends FaultKind = FaultKind,
  K extends string = string,
  F extends FaultFields = FaultFields,
> = CommonFields<N, K, F> & {
  readonly target: 'server';
  /** What `speechfb serve` must be told to let it happen. */
  readonly serveFlag?: '--fault-injection';
  /** What `speechfb serve --role inference` must be told to let it happen. */
  readonly nodeFlag?: '--fault-injection';
  /** The part of the embedded server that it happens to, beside the server itself. */
  readonly part?: FaultPart;
  /** What the store must have for it: a port where its answers can be late, or also a replica. */
  readonly storeNeeds?: 'relay' | 'replica';
  /** The server's processes must see a clock that can be stepped. */
  readonly steppingClock?: true;
  /** Makes it happen now; resolves to why it did not happen, or undefined when it did. */
  inject(server: FaultyServer, planned: PlannedFields<F>): Promise<string | undefined>;
  /** Ends it after its `for`, or sooner with the test; absent when the server ends it by itself. */
  end?(server: FaultyServer, planned: PlannedFields<F>): void;
};

/** What a fault may do to one learner; each call is false when there was nothing to affect. */
export type FaultyLearner = {
  /** The app loses its socket, and resumes. */
  reconnect(): boolean;
  /** Nothing passes the device's simulated network, either way, for so long. */
  cutNetwork(forMs: number): boolean;
  /**
   * The app loses a share of its frames before it sends them; both times are ms from the start of
   * the test.
   */
  loseFrames(share: number, fromMs: number, untilMs: number): boolean;
  /** The device's simulated network loses a share of its packets more, both ways, for so long. */
  losePackets(share: number, forMs: number): boolean;
};

/** What a fault may say to one process of the embedded server. */
export type ReplicaSignal = 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGUSR2';

/** What a fault may do to processes that stand for one another; the first is 1. */
type FaultyReplicas = {
  /** How many there are, also of those that are gone. */
  readonly count: number;
  /**
   * Signals one of them; why it could not, or undefined. SIGUSR2 is for nodes: it begins or ends
   * that they forget their leases.
   */
  signal(place: number, signal: ReplicaSignal): string | undefined;
  /** Signals all of them; false when none is there. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): boolean;
  /** Starts one again that has gone. */
  start(place: number): void;
  /** Steps the wall clock that they see, ms; false when none is there. */
  stepClocks(ms: number): boolean;
};

/** What a fault may do to the store that gateways share; each says what kept it from that. */
export type FaultyStore = {
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): string | undefined;
  /** Starts it again, empty, where it was. */
  startAgain(): void;
  /** Its answers come so much later from now on, ms. */
  delayAnswers(ms: number): string | undefined;
  /** Its replica hears nothing more of it, and stays as it is. */
  cutReplica(): Promise<string | undefined>;
  /** It is killed, and the replica takes its place. */
  failOver(): void;
};

/** What a fault may do to the queue of what is scored later; says what kept it from that. */
export type FaultyQueue = {
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): string | undefined;
  /** Starts it again where it was, with what it has kept. */
  startAgain(): void;
};

/** What a fault may do to the certificates of the embedded server, of all of its processes. */
export type FaultyCertificates = {
  /** They are good for a moment longer. */
  expireSoon(): void;
  /** They are good again. */
  renew(): void;
};

/** What a fault may do to the embedded server. */
export type FaultyServer = {
  gateways: FaultyReplicas;
  nodes: FaultyReplicas;
  /** What scores later what is handed over. */
  workers: FaultyReplicas;
  /** Among how many zones gateways and nodes are shared out in turn. */
  zones: number;
  /** Undefined: it is reached without TLS. */
  certificates: FaultyCertificates | undefined;
  /** Undefined: the gateways share nothing. */
  store: FaultyStore | undefined;
  /** Undefined: nothing is handed over. */
  queue: FaultyQueue | undefined;
  /** Asks for a fault of its inference worker; resolves to what kept it from that, or undefined. */
  disturbInference(disturbance: InferenceDisturbance): Promise<string | undefined>;
};

/** What `POST /faults/inference` takes. */
type InferenceDisturbance =
  | { action: 'kill' | 'fail' }
  | { action: 'stall'; ms: number }
  | { action: 'slow'; ms: number; times: number };

/** Why nothing happened to a store that is not there. */
export const noStore = 'the server has no store';
/** Why nothing happened to a queue that is not there. */
export const noQueue = 'the server hands nothing over';

/** Keeps the literal types of a definition. */
export function defineLearnerFault<const N extends FaultKind, const K extends string, F extends FaultFields>(
  fault: LearnerFault<N, K, F>,
): LearnerFault<N, K, F> {
  return fault;
}

/** Keeps the literal types of a definition. */
export function defineServerFault<const N extends FaultKind, const K extends string, F extends FaultFields>(
  fault: ServerFault<N, K, F>,
): ServerFault<N, K, F> {
  return fault;
}

import type { z } from 'zod';
import type { FaultKind } from '../../results/fault-record.ts';

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

/** A fault of the server that the test itself has started. */
export type ServerFault<
  N extends FaultKind = FaultKind,
  K extends string = string,
  F extends FaultFields = FaultFields,
> = CommonFields<N, K, F> & {
  readonly target: 'server';
  /** What `speechfb serve` must be told to let it happen. */
  readonly serveFlag?: '--fault-injection';
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
};

/** What a fault may do to the embedded server. */
export type FaultyServer = {
  /** Stops the process where it stands; false when it is gone. */
  pause(): boolean;
  resume(): boolean;
  /** Signals the process of a node, from 1 on; resolves to why it could not. */
  signalNode(node: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGTERM'): string | undefined;
  /** Lets a node that was stopped go on. */
  resumeNode(node: number): void;
  /** Starts a node again that has gone. */
  startNode(node: number): void;
  /** Asks for a fault of its inference worker; resolves to what kept it from that, or undefined. */
  disturbInference(action: { action: 'kill' } | { action: 'stall'; ms: number }): Promise<string | undefined>;
};

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

import type { EngineStats } from '../../acoustic/engine/types.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Wish } from './room.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * Decides whether one more session may start. A resume is never asked: its session is already
 * counted.
 */
export class Admission {
  readonly #limits: Limits;
  readonly #starts: TokenBucket;

  constructor(limits: Limits, nowMs: number) {
    this.#limits = limits;
    this.#starts = new TokenBucket(
      () => limits.startsPerSecond,
      () => limits.startBurst,
      nowMs,
    );
  }

  /** Undefined: the session may start, and counts as soon as `started` is called. */
  admit(state: AdmissionState): Refusal | undefined {
    const limits = this.#limits;
    const { nowMs, lacks, late, draining, engine, scoring, isRelief, isElsewhere } = state;
    if (draining) return busy('the server is going away', limits.busyRetryMs);
    if (!engine) return busy('the model is still warming up', warmUpRetryMs);
    if (lacks !== undefined) return lacking(lacks, state, limits);
    const noRoom = late ?? (isElsewhere ? undefined : overloaded(state, limits));
    const reason = stalled(engine, scoring, limits) ?? (isRelief ? undefined : noRoom);
    if (reason !== undefined) return busy(reason, limits.busyRetryMs);
    const waitMs = this.#starts.waitMs(nowMs);
    if (waitMs === 0) return undefined;
    return tooManyStarts(waitMs, limits);
  }

  /**
   * The same for a session of another gateway: it is there already, so that nothing counts but
   * whether it can be carried at all.
   */
  takeOver(state: Omit<AdmissionState, 'late'>): Refusal | undefined {
    const limits = this.#limits;
    const { lacks, draining, engine, scoring } = state;
    if (draining) return busy('the server is going away', limits.busyRetryMs);
    if (!engine) return busy('the model is still warming up', warmUpRetryMs);
    if (lacks !== undefined) return lacking(lacks, state, limits);
    const reason = stalled(engine, scoring, limits);
    return reason === undefined ? undefined : busy(reason, limits.busyRetryMs);
  }

  /** A session has started: only those count, so that nobody pays for the mistakes of others. */
  started(nowMs: number): void {
    this.#starts.take(nowMs);
  }
}

export type AdmissionState = Wish & {
  nowMs: number;
  /** Why there is no place for one more session of this caller. */
  lacks: 'full' | 'share' | undefined;
  /** Sessions that there are places for. */
  capacity: number;
  /** Why those inside are served too late for anybody to join them. */
  late: string | undefined;
  /** Somebody goes for it, so that the machine has no more to do than before. */
  isRelief?: boolean;
  draining: boolean;
  /** The own model's: one beside it says by itself what it takes. Absent while it warms up. */
  engine: EngineStats | undefined;
  /** Absent where scoring has no threads of its own. */
  scoring: ScoringStats | undefined;
};

/**
 * The sentence that says so when the engine's thread, or one that scores, stands still or starts
 * again; undefined: all are alive.
 */
export function stalled(engine: EngineStats, scoring: ScoringStats | undefined, limits: Limits): string | undefined {
  const silence = (who: string, silentMs: number, mostMs: number): string | undefined =>
    silentMs > mostMs
      ? `${who} has said nothing for ${Math.round(silentMs)} ms; at most ${mostMs} ms is normal`
      : undefined;
  return (
    silence('the model', engine.silentMs, limits.silentModelMs) ??
    silence('a scoring thread', scoring?.silentMs ?? 0, limits.silentScoringMs)
  );
}

/**
 * The sentence that names the part of a model that has no room for one more session, its network or
 * its scoring; undefined: both have.
 */
export function overloaded(
  { engine, scoring }: Pick<AdmissionState, 'engine' | 'scoring'>,
  limits: Limits,
): string | undefined {
  if (!engine) return undefined;
  if (engine.stepP95Ms > limits.busyStepP95Ms && engine.busy > limits.busyShare) {
    const step = `a model step takes ${Math.round(engine.stepP95Ms)} ms at p95`;
    return `${step}, over ${limits.busyStepP95Ms} ms: there is no room for one more`;
  }
  if (scoring && scoring.waitP95Ms > limits.busyStepP95Ms && scoring.busy > limits.busyShare) {
    const wait = `frames wait ${Math.round(scoring.waitP95Ms)} ms for their scores at p95`;
    return `${wait}, over ${limits.busyStepP95Ms} ms: there is no room for one more`;
  }
  return undefined;
}

/** The refusal of a session while so many are starting. */
export function tooManyStarts(waitMs: number, { startsPerSecond }: Limits): Refusal {
  const message = `more than ${startsPerSecond} sessions a second are starting (starts_per_second)`;
  return { code: 'rate_limited', message, retryAfterMs: waitMs, limit: 'startsPerSecond' };
}

/** The refusal of a session for which there is no place among `capacity`. */
export function lacking(
  lacks: 'full' | 'share',
  carried: Pick<Wish, 'lane'> & { capacity: number },
  limits: Limits,
): Refusal {
  const limit = lacks === 'full' ? 'maxSessions' : 'placeShare';
  return { ...busy(lackingText(lacks, carried, limits), limits.busyRetryMs), limit };
}

/** What a caller is told for whom there is no place among `capacity` sessions. */
export function lackingText(
  lacks: 'full' | 'share',
  { capacity, lane }: Pick<Wish, 'lane'> & { capacity: number },
  { maxSessions, batchShare }: Limits,
): string {
  if (lacks === 'share') {
    return 'the few sessions that are left are kept for callers who have fewer than this one (place_share)';
  }
  if (lane === 'batch') {
    return `all places that the batch lane may have are taken: of ${capacity} the share ${batchShare} (batch_share)`;
  }
  if (capacity === 0) return 'no inference node takes sessions: none is there, or all are going';
  if (capacity < maxSessions) return `all ${capacity} sessions that this machine carries are taken`;
  return `all ${maxSessions} sessions are taken (max_sessions)`;
}

const warmUpRetryMs = 1000;

/**
 * The time to wait, drawn anew for each client, so that those who were refused together do not come
 * back together.
 */
export function jittered(ms: number): number {
  return Math.round(ms * (0.5 + Math.random()));
}

function busy(message: string, retryMs: number): Refusal {
  return { code: 'server_busy', message, retryAfterMs: jittered(retryMs) };
}

import type { EngineStats } from '../../acoustic/engine/types.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Decides whether one more session may start. A resume is never asked: its session is already counted. */
export type Admission = {
  admit(state: AdmissionState): Refusal | undefined;
};

export type AdmissionState = {
  nowMs: number;
  sessions: number;
  draining: boolean;
  /** Absent while the model warms up. */
  engine: EngineStats | undefined;
  /** Absent where it has no threads of its own. */
  scoring: ScoringStats | undefined;
};

export function createAdmission(limits: Limits, nowMs: number): Admission {
  const starts = createTokenBucket(limits.startsPerSecond, limits.startBurst, nowMs);
  return {
    admit({ nowMs: atMs, sessions, draining, engine, scoring }) {
      if (draining) return busy('the server is going away', limits.busyRetryMs);
      if (!engine) return busy('the model is still warming up', warmUpRetryMs);
      if (sessions >= limits.maxSessions)
        return busy(`all ${limits.maxSessions} sessions are taken`, limits.busyRetryMs);
      const stall = stalled(engine, limits);
      if (stall !== undefined) return busy(stall, limits.busyRetryMs);
      if (engine.stepP95Ms > limits.busyStepP95Ms && engine.busy > limits.busyShare) {
        const step = `a model step takes ${Math.round(engine.stepP95Ms)} ms at p95`;
        return busy(`${step}, over ${limits.busyStepP95Ms} ms: there is no room for one more`, limits.busyRetryMs);
      }
      if (scoring && scoring.waitP95Ms > limits.busyStepP95Ms && scoring.busy > limits.busyShare) {
        const wait = `frames wait ${Math.round(scoring.waitP95Ms)} ms for their scores at p95`;
        return busy(`${wait}, over ${limits.busyStepP95Ms} ms: there is no room for one more`, limits.busyRetryMs);
      }
      const waitMs = starts.take(atMs);
      if (waitMs === 0) return undefined;
      const message = `more than ${limits.startsPerSecond} sessions a second are starting`;
      return { code: 'rate_limited', message, retryAfterMs: waitMs };
    },
  };
}

/** The sentence that says so when the engine's thread stands still or starts again; undefined: it is alive. */
export function stalled({ silentMs }: EngineStats, { silentModelMs }: Limits): string | undefined {
  if (silentMs <= silentModelMs) return undefined;
  return `the model has said nothing for ${Math.round(silentMs)} ms; at most ${silentModelMs} ms is normal`;
}

const warmUpRetryMs = 1000;

function busy(message: string, retryAfterMs: number): Refusal {
  return { code: 'server_busy', message, retryAfterMs };
}

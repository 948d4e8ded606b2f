import { erlangC, serversForWait, waitQuantile } from './erlang.ts';
import { allenCunneenWait, kingmanWait, type Variability } from './queues.ts';

/** Work that may wait: recordings scored after the lesson. */
export type BatchWork = {
  jobsPerSecond: number;
  /** Mean time of one job on one worker. */
  serviceMs: number;
  variability: Variability;
  /** The wait that must hold for a share of the jobs: `p` .95 for p95. */
  wait: { p: number; limitMs: number };
  /** Workers as planned; without them the fewest that keep the wait are found. */
  workers?: number | undefined;
};

/**
 * What the queue of `workers` does. Waits are null when the work is more than the workers can ever
 * do.
 */
export type BatchAnswer = {
  load: number;
  workers: number;
  utilisation: number;
  waiting_share: number;
  /** Erlang C: Poisson arrivals, exponential service. */
  wait_quantile_ms: number | null;
  /** Allen-Cunneen, or Kingman for one worker: with the variability as given. */
  mean_wait_ms: number | null;
  mean_wait_by: 'allen-cunneen' | 'kingman';
  /** The fewest workers that keep the wait. */
  workers_needed: number;
  keeps_wait: boolean;
};

export function answerBatch({ jobsPerSecond, serviceMs, variability, wait, workers: planned }: BatchWork): BatchAnswer {
  const load = (jobsPerSecond * serviceMs) / 1000;
  const needed = serversForWait(load, serviceMs, wait.p, wait.limitMs);
  const workers = planned ?? needed;
  const quantile = waitQuantile(workers, load, serviceMs, wait.p);
  const single = workers === 1;
  const mean = single
    ? kingmanWait(load, serviceMs, variability)
    : allenCunneenWait(workers, load, serviceMs, variability);
  return {
    load,
    workers,
    utilisation: load / workers,
    waiting_share: erlangC(workers, load),
    wait_quantile_ms: orNull(quantile),
    mean_wait_ms: orNull(mean),
    mean_wait_by: single ? 'kingman' : 'allen-cunneen',
    workers_needed: needed,
    keeps_wait: quantile <= wait.limitMs,
  };
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

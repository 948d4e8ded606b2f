import { addClusterSums, type ClusterSums, emptyClusterSums } from '../../metrics/cluster-sums.ts';
import { fits, type Labels, type MetricName, metrics } from '../../metrics/definitions.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { holds, missShareOf } from '../../slo/objective/judging.ts';
import { quantileRank } from '../../stats/quantile.ts';

/** One objective as one utterance, or one session, fares against it. */
export type Standing = {
  readonly objective: Objective;
  samples: number;
  misses: number;
  /** ms; only of what came. */
  sumMs: number;
  logSum: number;
  logSquares: number;
};

/** The objectives that a session with these labels is held against, and how it stands with each. */
export class SessionScore {
  readonly #objectives: readonly Objective[];
  readonly #standings: readonly Standing[];

  constructor(objectives: readonly Objective[], labels: Labels) {
    this.#objectives = objectives.filter(({ selector: { phase: _, ...selector } }) => fits(labels, selector));
    this.#standings = this.#objectives.map(newStanding);
  }

  /** For an utterance of the session in that phase, which only knows what is its own. */
  utterance(phase: string | undefined): UtteranceScore {
    const own = this.#objectives.filter((one) => metrics[one.metric].perUtterance && inPhase(one, phase));
    return new UtteranceScore(own.map(newStanding));
  }

  /** One latency of that metric, ms, Infinity when it never came: for the session, and for its utterance if it has one. */
  latency(metric: MetricName, ms: number, phase: string | undefined, utterance?: UtteranceScore): void {
    if (this.#standings.length === 0) return;
    for (const standing of this.#standings) {
      if (standing.objective.metric === metric && inPhase(standing.objective, phase)) add(standing, ms);
    }
    for (const standing of utterance?.standings ?? []) if (standing.objective.metric === metric) add(standing, ms);
  }

  /** `count` of `of` events of that metric went wrong: bad ones of a share, or what a rate or a count counts. */
  events(metric: MetricName, count: number, of: number, phase: string | undefined, utterance?: UtteranceScore): void {
    if (this.#standings.length === 0) return;
    const tell = (standing: Standing) => {
      standing.samples += of;
      standing.misses += count;
    };
    for (const standing of this.#standings) {
      if (standing.objective.metric === metric && inPhase(standing.objective, phase)) tell(standing);
    }
    for (const standing of utterance?.standings ?? []) if (standing.objective.metric === metric) tell(standing);
  }

  /** Adds this session, now over, to the sums by objective, which are kept by the phase that it is about. */
  close(sumsOf: (phase: string | undefined) => Record<string, ClusterSums>): void {
    for (const { objective, samples: n, misses: m, logSum, logSquares } of this.#standings) {
      if (n === 0 || missShareOf(objective) === undefined) continue;
      const into = sumsOf(objective.selector.phase);
      into[objective.source] ??= emptyClusterSums();
      addClusterSums(into[objective.source]!, {
        sessions: 1,
        samples: n,
        misses: m,
        samplesSquared: n * n,
        missesSquared: m * m,
        missesSamples: m * n,
        logSum,
        logSquares,
        logBetween: (logSum * logSum) / n,
      });
    }
  }
}

export class UtteranceScore {
  readonly standings: readonly Standing[];

  constructor(standings: readonly Standing[]) {
    this.standings = standings;
  }

  /** Whether each objective, read on this utterance alone, holds. One without a sample is not missed. */
  get good(): boolean {
    return this.standings.every(keeps);
  }
}

function keeps({ objective, samples, misses, sumMs }: Standing): boolean {
  if (samples === 0) return true;
  switch (objective.reading) {
    case 'quantile':
      return samples - misses >= quantileRank(samples, objective.p);
    case 'max':
      return misses === 0;
    case 'mean':
      return holds(objective, sumMs / samples);
    case 'share':
      return holds(objective, 1 - misses / samples);
    case 'count':
      return holds(objective, misses);
    case 'rate':
      return holds(objective, misses / samples);
    case 'cost':
      return true;
  }
}

function newStanding(objective: Objective): Standing {
  return { objective, samples: 0, misses: 0, sumMs: 0, logSum: 0, logSquares: 0 };
}

function inPhase({ selector }: Objective, phase: string | undefined): boolean {
  return selector.phase === undefined || selector.phase.toLowerCase() === phase?.toLowerCase();
}

function add(standing: Standing, ms: number): void {
  standing.samples += 1;
  standing.sumMs += ms;
  if (!holds(standing.objective, ms)) standing.misses += 1;
  const log = Math.log(Math.min(longestMs, Math.max(shortestMs, ms)));
  standing.logSum += log;
  standing.logSquares += log * log;
}

/** The logarithm's ends: what never came counts as an hour, what came at once as 0.1 ms. */
const shortestMs = 0.1;
const longestMs = 3_600_000;

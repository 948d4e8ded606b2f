import {
  addClusterSums,
  type ClusterSums,
  emptyClusterSums,
  SessionTail,
  sessionSums,
} from '../../metrics/cluster-sums.ts';
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
};

/**
 * Kept of every session whatever the objectives are, under these keys: what runs are compared by.
 */
const alwaysKept = ['availability', 'goodput', 'wer'] as const;

/** The objectives that a session with these labels is held against, and how it stands with each. */
export class SessionScore {
  readonly #objectives: readonly Objective[];
  readonly #standings: readonly Standing[];
  readonly #kept = {
    availability: { samples: 0, misses: 0 },
    goodput: { samples: 0, misses: 0 },
    wer: { samples: 0, misses: 0 },
  };
  readonly #alwaysBehind: Behind;
  /** The latencies behind the standings, by metric and phase; several standings may rest on one. */
  readonly #tails: readonly (Behind & { tail: SessionTail })[];

  /** `answers`: whether feedback came, and whether an utterance was good, hangs on this latency. */
  constructor(objectives: readonly Objective[], labels: Labels, answers: MetricName = 'feedback_latency') {
    this.#alwaysBehind = { metric: answers, phase: undefined };
    this.#objectives = objectives.filter(({ selector: { phase: _, ...selector } }) => fits(labels, selector));
    this.#standings = this.#objectives.map(newStanding);
    const behind = this.#objectives.flatMap((objective) => this.#latencyBehind(objective) ?? []);
    const keys = new Map([this.#alwaysBehind, ...behind].map((one) => [keyOf(one), one]));
    this.#tails = [...keys.values()].map((one) => ({ ...one, tail: new SessionTail() }));
  }

  /** The score of an utterance of the session in that phase; it holds only what is its own. */
  utterance(phase: string | undefined): UtteranceScore {
    const own = this.#objectives.filter((one) => metrics[one.metric].perUtterance && inPhase(one, phase));
    return new UtteranceScore(own.map(newStanding));
  }

  /**
   * One latency of that metric, ms, Infinity when it never came: for the session, and for its
   * utterance if it has one.
   */
  latency(metric: MetricName, ms: number, phase: string | undefined, utterance?: UtteranceScore): void {
    for (const standing of this.#standings) {
      if (standing.objective.metric === metric && inPhase(standing.objective, phase)) add(standing, ms);
    }
    for (const one of this.#tails) {
      if (one.metric === metric && (one.phase === undefined || one.phase === phase?.toLowerCase())) one.tail.add(ms);
    }
    for (const standing of utterance?.standings ?? []) if (standing.objective.metric === metric) add(standing, ms);
  }

  /**
   * `count` of `of` events of that metric went wrong: bad ones of a share, or what a rate or a
   * count counts.
   */
  events(metric: MetricName, count: number, of: number, phase: string | undefined, utterance?: UtteranceScore): void {
    const report = (standing: { samples: number; misses: number }) => {
      standing.samples += of;
      standing.misses += count;
    };
    if (isKept(metric)) report(this.#kept[metric]);
    for (const standing of this.#standings) {
      if (standing.objective.metric === metric && inPhase(standing.objective, phase)) report(standing);
    }
    for (const standing of utterance?.standings ?? []) if (standing.objective.metric === metric) report(standing);
  }

  /**
   * Adds this session, now over, to the sums by objective, which are kept by the phase that it is
   * about.
   */
  close(sumsOf: (phase: string | undefined) => Record<string, ClusterSums>): void {
    for (const name of alwaysKept) {
      const { samples, misses } = this.#kept[name];
      const tail = name === 'wer' ? undefined : this.#tail(this.#alwaysBehind);
      if (samples > 0) addTo(sumsOf(undefined), name, sessionSums(samples, misses, tail));
    }
    for (const { objective, samples, misses, sumMs } of this.#standings) {
      const mean = objective.aggregation === 'mean';
      // A mean that is infinite fails whatever the sessions say.
      if (samples === 0 || (mean ? !Number.isFinite(sumMs) : missShareOf(objective) === undefined)) continue;
      const behind = this.#latencyBehind(objective);
      const sums = sessionSums(samples, mean ? sumMs : misses, behind && this.#tail(behind));
      addTo(sumsOf(objective.selector.phase), objective.source, sums);
    }
  }

  /** The latencies that an objective aggregates. */
  #latencyBehind({ aggregation, metric, selector }: Objective): Behind | undefined {
    const phase = selector.phase?.toLowerCase();
    if (aggregation === 'quantile') return { metric, phase };
    return metric === 'availability' || metric === 'goodput' ? { ...this.#alwaysBehind, phase } : undefined;
  }

  #tail(behind: Behind): SessionTail | undefined {
    return this.#tails.find((one) => keyOf(one) === keyOf(behind))?.tail;
  }
}

type Behind = { metric: MetricName; phase: string | undefined };

function isKept(metric: MetricName): metric is (typeof alwaysKept)[number] {
  return alwaysKept.some((one) => one === metric);
}

function keyOf({ metric, phase = '' }: Behind): string {
  return `${metric} ${phase}`;
}

function addTo(sums: Record<string, ClusterSums>, key: string, session: ClusterSums): void {
  sums[key] ??= emptyClusterSums();
  addClusterSums(sums[key], session);
}

export class UtteranceScore {
  readonly standings: readonly Standing[];

  constructor(standings: readonly Standing[]) {
    this.standings = standings;
  }

  /**
   * Whether each objective, read on this utterance alone, holds. One without a sample is not
   * missed.
   */
  get good(): boolean {
    return this.standings.every(keeps);
  }
}

function keeps({ objective, samples, misses, sumMs }: Standing): boolean {
  if (samples === 0) return true;
  switch (objective.aggregation) {
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
  return { objective, samples: 0, misses: 0, sumMs: 0 };
}

function inPhase({ selector }: Objective, phase: string | undefined): boolean {
  return selector.phase === undefined || selector.phase.toLowerCase() === phase?.toLowerCase();
}

function add(standing: Standing, ms: number): void {
  standing.samples += 1;
  standing.sumMs += ms;
  if (!holds(standing.objective, ms)) standing.misses += 1;
}

import { dollars } from '../../format.ts';
import {
  answerName,
  type Distribution,
  type DistributionName,
  distributionNames,
  fits,
  labelKey,
  type Measurements,
  quantile,
  type Selector,
} from '../../metrics/definitions.ts';
import { reportStages } from '../../metrics/latency-stages.ts';
import { LiveSlice, LiveView } from '../../metrics/live-slice.ts';
import { costLimit, type ServerCost, spentIn } from '../../results/cost.ts';
import { measurementsOf } from '../../results/measurements.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';
import { judge } from '../../slo/objective/verdict.ts';
import { type Abort, abortNow, type LoadObjective } from './abort.ts';
import type { GeneratorProgress } from './progress.ts';

/**
 * Where a load test stands, all generators together; latencies to 0.1 %. `recent` is since the
 * progress before. Undefined: no sample yet; Infinity: most never came.
 */
export type LoadProgress = {
  elapsedMs: number;
  /** Time until the learners stop speaking. */
  leftMs: number;
  sessions: { planned: number; arrived: number; ended: number; refused: number; died: number };
  /** Feedback that was due (words, where a server tells no more), and what of it never came. */
  samples: number;
  never: number;
  /** Quantiles of feedback latency so far. */
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  p99Ms: number | undefined;
  recentP95Ms: number | undefined;
  sendLatenessP99Ms: number | undefined;
  framesSent: number;
  utterances: number;
  violations: number;
  /** Every stage of feedback latency, in the order that sound passes through them. */
  stages: readonly {
    stage: string;
    p50Ms: number | undefined;
    p95Ms: number | undefined;
    recentP95Ms: number | undefined;
  }[];
  /** Feedback latency by network profile, in order of their names. */
  profiles: readonly { profile: string; samples: number; p50Ms: number | undefined; p95Ms: number | undefined }[];
  /** The verdicts so far: they may still change. */
  objectives: readonly ObjectiveVerdict[];
};

type Run = {
  objectives: readonly LoadObjective[];
  plannedSessions: number;
  durationMs: number;
  warmupMs: number;
  prices: ServerCost | undefined;
  /** What sound costs, $ a minute, and how much of it may be spent; frames are of this length. */
  billed?: { perAudioMinute: number; most: number; frameMs: number } | undefined;
};

/** A test while it runs: what all its generators reported, added up. */
export class LiveRun {
  readonly #run: Run;
  readonly #slices = new Map<string, LiveSlice>();
  /** What came since the last look. */
  #recent = new LiveSlice({ profile: '', language: '' });
  #elapsedMs = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #arrived = 0;
  #ended = 0;
  #framesSent = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Adds what one generator reported; whether it is time to look again. */
  add(progress: GeneratorProgress): boolean {
    this.#elapsedMs = Math.max(this.#elapsedMs, progress.elapsedMs);
    this.#arrived += progress.arrived;
    this.#ended += progress.ended;
    this.#framesSent += progress.framesSent;
    for (const delta of progress.slices) {
      const key = labelKey(delta.labels);
      if (!this.#slices.has(key)) this.#slices.set(key, new LiveSlice(delta.labels));
      this.#slices.get(key)!.add(delta);
      this.#recent.add(delta);
    }
    return this.#elapsedMs >= this.#lookedMs + lookEveryMs;
  }

  /** Where the test stands now; `recent` begins anew. */
  look(): LoadProgress {
    const whole = this.#merged({});
    this.#lookedMs = this.#elapsedMs;
    const recent = this.#recent;
    this.#recent = new LiveSlice(recent.labels);
    const answers = answersOf(whole);
    const feedback = whole.of(answers);
    const lateness = whole.of('send_lateness');
    const { tally } = whole;
    return {
      elapsedMs: this.#elapsedMs,
      leftMs: Math.max(0, this.#run.durationMs - this.#elapsedMs),
      sessions: {
        planned: this.#run.plannedSessions,
        arrived: this.#arrived,
        ended: this.#ended,
        refused: tally.sessions_refused,
        died: tally.sessions_died,
      },
      samples: feedback.samples,
      never: feedback.never,
      p50Ms: quantile(feedback, 0.5),
      p95Ms: quantile(feedback, 0.95),
      p99Ms: quantile(feedback, 0.99),
      recentP95Ms: quantile(recent.of(answers), 0.95),
      sendLatenessP99Ms: quantile(lateness, 0.99),
      framesSent: lateness.samples,
      utterances: tally.utterances,
      violations: tally.violations,
      stages: reportStages.map((stage) => ({
        stage,
        p50Ms: quantile(whole.of(`stage.${stage}`), 0.5),
        p95Ms: quantile(whole.of(`stage.${stage}`), 0.95),
        recentP95Ms: quantile(recent.of(`stage.${stage}`), 0.95),
      })),
      profiles: this.#profiles(),
      objectives: this.#run.objectives.map((objective) => judge(objective, this.#measured(objective.selector))),
    };
  }

  /** The objective that ends the test now, if there is one. */
  abortNow(): Abort | undefined {
    return (
      this.#spentAll() ?? abortNow(this.#run.objectives, this.#elapsedMs, ({ selector }) => this.#measured(selector))
    );
  }

  /** The sound sent, that of the warm-up too, has cost more than it may. */
  #spentAll(): Abort | undefined {
    const { billed } = this.#run;
    if (!billed) return undefined;
    const spent = ((this.#framesSent * billed.frameMs) / 60_000) * billed.perAudioMinute;
    if (spent <= billed.most) return undefined;
    const reason = `the sound sent has cost ${dollars(spent)}, and ${dollars(billed.most)} is the most`;
    return { objective: costLimit, atMs: this.#elapsedMs, reason };
  }

  /** What is known so far of the sessions that a selector chooses. */
  #measured(selector: Selector): Measurements {
    const slice = this.#merged(selector);
    const { durationMs, warmupMs, prices } = this.#run;
    const spent = spentIn(prices, Math.min(this.#elapsedMs, durationMs) - warmupMs);
    // Most objectives ask for one of them.
    const distributions = {} as Record<DistributionName, Distribution>;
    for (const name of distributionNames) Object.defineProperty(distributions, name, { get: () => slice.of(name) });
    return measurementsOf({ distributions, tally: slice.tally }, spent);
  }

  #profiles(): LoadProgress['profiles'] {
    const names = [...new Set([...this.#slices.values()].map(({ labels }) => labels.profile))].sort();
    return names.map((profile) => {
      const merged = this.#merged({ profile });
      const feedback = merged.of(answersOf(merged));
      return { profile, samples: feedback.samples, p50Ms: quantile(feedback, 0.5), p95Ms: quantile(feedback, 0.95) };
    });
  }

  #merged(selector: Selector): LiveView {
    return new LiveView([...this.#slices.values()].filter((slice) => fits(slice.labels, selector)));
  }
}

function answersOf(view: LiveView): DistributionName {
  return answerName((name) => view.of(name).samples);
}

/** Generators report twice a second each; adding them all up for each of them would be too much. */
const lookEveryMs = 400;

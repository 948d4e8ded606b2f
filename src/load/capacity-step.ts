import { answerName } from '../metrics/definitions.ts';
import type { LoadReport } from '../results/report.ts';
import type { CapacityStep } from './find-capacity.ts';
import type { LoadScenario } from './scenario/scenario.ts';

/**
 * One load and what it led to; latencies of feedback in ms, Infinity where so much of it never
 * came.
 */
export type MeasuredStep = CapacityStep & {
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  samples: number;
  never: number;
  /**
   * How many of them spoke at one time, on average: seconds of audio that feedback was due for, in
   * a second.
   */
  speaking: number;
  /** Seconds of audio scored in a second. */
  throughput: number;
};

/**
 * From one learner's arrival to the next while a step begins: below the 50 sessions a second that a
 * server takes.
 */
const arrivalMs = 25;

/**
 * The scenario with `learners` at once, for `stepMs` after all have come; nothing goes wrong on
 * purpose.
 */
export function scenarioWith(scenario: LoadScenario, learners: number, stepMs: number, seed: number): LoadScenario {
  const { spec } = scenario;
  const ramp = learners * arrivalMs;
  // Everybody speaks before anything counts.
  const warmup = ramp + 1000;
  const load = { learners, ramp };
  return { ...scenario, spec: { ...spec, load, warmup, duration: warmup + stepMs, faults: [], seed } };
}

/** What a step's run says of its load. */
export function stepOf(report: LoadReport, learners: number, stepMs: number, long: boolean): MeasuredStep {
  const { distributions } = report;
  const feedback = distributions[answerName((name) => distributions[name]?.samples)]!;
  const ill = report.validity.filter(({ check, ok }) => !ok && check !== noFeedback);
  const missed = report.objectives.filter(({ verdict }) => verdict === 'fail');
  const unproven = report.objectives.filter(({ verdict }) => verdict === 'invalid');
  const silent = report.validity.some(({ check, ok }) => !ok && check === noFeedback);
  const audioPerSecond = (intervals: number) => (intervals * report.scenario.emitIntervalMs) / stepMs;
  const outcome = ill.length > 0 ? 'generator' : missed.length > 0 || silent ? 'missed' : 'carried';
  return {
    learners,
    outcome,
    proven: report.objectives.every(({ verdict }) => verdict === 'pass'),
    reason:
      outcome === 'carried'
        ? unproven.map(({ objective }) => objective).join(', ')
        : [
            ...ill.map(({ check, detail }) => `${check}: ${detail}`),
            ...missed.map(({ objective, reason }) => `${objective}: ${reason}`),
            ...(silent ? ['no feedback came'] : []),
          ].join('; '),
    long,
    p50Ms: feedback.p50Ms ?? Number.POSITIVE_INFINITY,
    p95Ms: feedback.p95Ms ?? Number.POSITIVE_INFINITY,
    p99Ms: feedback.p99Ms ?? Number.POSITIVE_INFINITY,
    samples: feedback.samples,
    never: feedback.never,
    speaking: audioPerSecond(feedback.samples),
    throughput: audioPerSecond(feedback.samples - feedback.never),
  };
}

/** The check of validity.ts that is about the server: nothing was due because nobody was let in. */
const noFeedback = 'feedback due';

/**
 * What `speechfb capacity` reads: a point for each load, in order; of a load that was tried twice
 * the later, longer run. Its streams are learners who speak, as they are to `capacity`, not those
 * who pause between two utterances.
 */
export function curveOf(steps: readonly MeasuredStep[], measured: string): object {
  const byLoad = new Map<number, MeasuredStep>();
  // A step that says nothing of the server takes no place of one that does.
  for (const step of steps) {
    if (step.outcome !== 'generator' || !byLoad.has(step.learners)) byLoad.set(step.learners, step);
  }
  const points = [...byLoad.values()].sort((a, b) => a.learners - b.learners);
  return {
    kind: 'CapacityCurve',
    version: 1,
    measured,
    points: points.map((step) => ({
      // Where nobody was let in, nothing was due, and the point is not valid.
      streams: round(step.speaking) || step.learners,
      learners: step.learners,
      ...(step.throughput > 0 && { throughput: round(step.throughput) }),
      p50_ms: round(step.p50Ms),
      p95_ms: round(step.p95Ms),
      p99_ms: round(step.p99Ms),
      samples: step.samples,
      never: step.never,
      outcome: step.outcome,
      valid: step.outcome !== 'generator' && step.samples >= leastSamples,
    })),
  };
}

/** Fewer say nothing of a 95th percentile at 95 % confidence. */
const leastSamples = 59;

/** Null for what never came, as JSON has no infinity. */
function round(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 100) / 100 : null;
}

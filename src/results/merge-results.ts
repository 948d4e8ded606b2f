import { Recorder, type Recording } from '../metrics/recorder.ts';
import { mergeTraces, type SampledTraces } from '../metrics/traces.ts';
import { type FaultRecord, mergeFaultRecords } from './fault-record.ts';
import { type GeneratorHealth, lostGenerator } from './generator-health.ts';
import { type SessionError, SessionErrors } from './session-errors.ts';

export type GeneratorResult = SampledTraces & {
  recording: Recording;
  /** One each, in no order. */
  generators: GeneratorHealth[];
  /** Faults that were made to happen, or should have been, in order of time. */
  faults: FaultRecord[];
  /** What went wrong in sessions, and how often. */
  sessionErrors: SessionError[];
  elapsedMs: number;
};

/**
 * What several generators measured, as if one had measured all of it: histograms and counts add up
 * exactly.
 */
export function mergeResults(results: readonly GeneratorResult[], seed: number): GeneratorResult {
  using recorder = new Recorder();
  const sessionErrors = new SessionErrors();
  for (const result of results) {
    recorder.add(result.recording);
    for (const { text, count } of result.sessionErrors) sessionErrors.add(text, count);
  }
  return {
    recording: recorder.encode(),
    ...mergeTraces(results, seed),
    generators: results.flatMap(({ generators }) => generators),
    faults: mergeFaultRecords(results.flatMap(({ faults }) => faults)),
    sessionErrors: sessionErrors.list(),
    elapsedMs: Math.max(0, ...results.map(({ elapsedMs }) => elapsedMs)),
  };
}

/** The result of a generator that gave none. */
export function lostResult(learners: number, why: string): GeneratorResult {
  using recorder = new Recorder();
  return {
    recording: recorder.encode(),
    traces: [],
    tracesSeen: 0,
    generators: [lostGenerator(learners, why)],
    faults: [],
    sessionErrors: [{ text: `a generator with ${learners} learners ended early: ${why}`, count: 1 }],
    elapsedMs: 0,
  };
}

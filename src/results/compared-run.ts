import { answerName, distributionNames, metrics } from '../metrics/definitions.ts';
import { Recorder } from '../metrics/recorder.ts';
import type { Trace } from '../metrics/trace.ts';
import { sessionsByLength } from '../slo/objective/clustered.ts';
import type { ComparedRun } from '../slo/objective/compare.ts';
import { oneASession } from '../slo/objective/compare-shares.ts';
import { quantileOfSorted } from '../stats/quantile.ts';
import { measurementsOf } from './measurements.ts';
import type { RecordedRun } from './recorded-run.ts';

/**
 * What a recorded run tells in a comparison: what learners felt, not how the generator did. Its
 * distributions must not be read after it was disposed of. Needs `histogramsReady`.
 */
export function comparedRun({ recording, traces }: RecordedRun): ComparedRun & Disposable {
  using recorder = new Recorder(recording);
  const whole = recorder.merged();
  const felt = distributionNames.filter((name) => metrics[name].felt);
  const { shares, rates } = measurementsOf(whole);
  const { count: wrong, of: spoken } = rates.wer;
  const strataOf = (name: string) => whole.strata.flatMap((stratum) => stratum[name] ?? []);
  const byLength = sessionsByLength(strataOf('availability'));
  return {
    sessions: byLength > 0 ? Math.min(whole.tally.sessions, byLength) : whole.tally.sessions,
    distributions: Object.fromEntries(felt.map((name) => [name, whole.distributions[name]])),
    sessionP95Ms: sessionP95s(traces),
    sessionP95Of: answerName((name) => whole.distributions[name].samples),
    shares: {
      availability: { ...shares.availability, strata: strataOf('availability') },
      goodput: { ...shares.goodput, strata: strataOf('goodput') },
      session_success: oneASession(shares.session_success.good, shares.session_success.total),
    },
    rates: { wer: { good: spoken - wrong, total: spoken, strata: strataOf('wer') } },
    [Symbol.dispose]: () => whole[Symbol.dispose](),
  };
}

/** The p95 of each session that has traces enough for one. */
function sessionP95s(traces: readonly Trace[]): number[] {
  const sessions = new Map<string, number[]>();
  for (const { session, total_ms } of traces) {
    const mine = sessions.get(session);
    if (mine) mine.push(total_ms);
    else sessions.set(session, [total_ms]);
  }
  const enough = [...sessions.values()].filter((mine) => mine.length >= leastTraces);
  return enough.map((mine) =>
    quantileOfSorted(
      mine.sort((a, b) => a - b),
      0.95,
    ),
  );
}

const leastTraces = 20;

import { SpeechfbError } from '../../errors.ts';
import { readRun, readRunTraces } from '../../results/read-run.ts';
import {
  eventsOfUnit,
  historyOfCount,
  historyOfEvents,
  type IntervalCount,
  sessionMedians,
} from '../../slo/canary/arm-history.ts';
import type { Canary, CanaryUnit } from '../../slo/canary/canary.ts';
import type { Arm } from '../../slo/canary/judge.ts';
import { ruleOf } from '../../slo/canary/plan.ts';
import { badRate, promDuration, totalRate, withMatchers } from '../../slo/service-level/promql.ts';
import type { Indicator } from '../../slo/service-level/service-level.ts';
import { createPrometheusApi, type PrometheusApi } from '../../telemetry/prometheus-api.ts';
import { parseDurationMs } from '../../units.ts';
import { countOfRun } from '../slo/measure.ts';
import type { CanaryFlags } from './flags.ts';

export type Arms = { baseline: Arm | undefined; canary: Arm };

/** Both versions as load tests or a Prometheus saw them over the same time. */
export async function measureArms(canary: Canary, flags: CanaryFlags): Promise<Arms> {
  const { prometheus, baseline, canary: run, alone } = flags;
  const { indicator } = canary;
  if (!indicator) {
    throw new SpeechfbError('not_measured', `the analysis "${canary.name}" has no indicator: nothing says what is bad`);
  }
  if (prometheus !== undefined) return fromPrometheus(canary, indicator, prometheus, flags);
  if (run === undefined || (baseline === undefined) !== (alone === true)) {
    const message = 'measurements come from --baseline DIR and --canary DIR, or from --prometheus URL';
    throw new SpeechfbError('bad_flag', message, { hint: 'with --alone, --canary only' });
  }
  return {
    baseline: baseline === undefined ? undefined : await armOfRun(canary, indicator, baseline),
    canary: await armOfRun(canary, indicator, run),
  };
}

async function armOfRun(canary: Canary, indicator: Indicator, directory: string): Promise<Arm> {
  const run = await readRun(directory);
  const intervals = canary.rollback.mode === 'window' ? ruleOf(canary).intervals : 0;
  const { metric, atMost } = indicator.loadtest ?? {};
  const traces = await readRunTraces(directory);
  const events = traces.map(({ at_ms, session, utterance, total_ms }) => ({
    atMs: at_ms,
    session,
    utterance,
    latencyMs: total_ms,
  }));
  if (canary.unit === 'utterance' && events.length > 0 && events.every(({ utterance }) => utterance === undefined)) {
    const message = `the traces of ${directory} do not say of which utterance they are: an older speechfb wrote them`;
    throw new SpeechfbError('not_measured', message, {
      hint: 'run the load test again, or count sessions: unit: session',
    });
  }
  const sessionsMs = sessionMedians(events);
  // Only feedback has its times in the traces; of everything else a run holds the count.
  if (metric !== 'feedback_latency' || atMost === undefined) {
    const count = countOfRun(run, directory, { name: canary.name, indicator });
    const each = countedBy[metric ?? ''] === canary.unit ? 1 : eventsOfUnit(events, canary.unit);
    return {
      history: historyOfCount(inUnits(count, each), intervals),
      sessionsMs,
      seenMs: run.elapsedMs,
      doubt: run.doubt,
    };
  }
  const rule = { atMost, everyMs: canary.rollback.everyMs, intervals, unit: canary.unit };
  const never = neverBeside(traces, run.never(metric), run.came(metric));
  return { history: historyOfEvents(events, never, rule), sessionsMs, seenMs: run.elapsedMs, doubt: run.doubt };
}

/** What is already counted once a unit. */
const countedBy: Readonly<Record<string, CanaryUnit>> = { goodput: 'utterance', session_success: 'session' };

/** Events as units of so many. */
function inUnits({ bad, total }: IntervalCount, each: number): IntervalCount {
  return { bad: bad / each, total: total / each };
}

/**
 * How many events that never came belong to the traces but are not among them, when the traces are
 * a sample of all.
 */
function neverBeside(traces: readonly { total_ms: number }[], never: number, came: number): number {
  const among = traces.filter(({ total_ms }) => total_ms === Number.POSITIVE_INFINITY).length;
  const share = came > 0 ? Math.min(1, (traces.length - among) / came) : 1;
  return Math.max(0, Math.round(never * share) - among);
}

async function fromPrometheus(canary: Canary, indicator: Indicator, url: string, flags: CanaryFlags): Promise<Arms> {
  const { versions, rollback } = canary;
  if (!versions) {
    const hint = 'write spec.versions: {baseline: \'track="stable"\', canary: \'track="canary"\'}';
    throw new SpeechfbError('not_measured', `the analysis "${canary.name}" does not say how to tell versions apart`, {
      hint,
    });
  }
  const each = canary.unit === 'event' ? 1 : canary.eventsPerUnit;
  if (each === undefined) {
    const message = `the analysis "${canary.name}" counts ${canary.unit}s, and Prometheus has events`;
    throw new SpeechfbError('not_measured', message, {
      hint: `write spec.eventsPerUnit: how many events a ${canary.unit} has`,
    });
  }
  const api = createPrometheusApi(url);
  const endMs = Date.now();
  const range = {
    startMs: endMs - parseDurationMs(flags.since ?? '30m') + rollback.everyMs,
    endMs,
    stepMs: rollback.everyMs,
  };
  const arm = (matchers: string) => armOfSeries(api, withMatchers(indicator, matchers), range, each);
  const baseline = flags.alone ? undefined : arm(versions.baseline);
  return { baseline: await baseline, canary: await arm(versions.canary) };
}

/** Counts an interval: rates over one step, times the step. */
async function armOfSeries(
  api: PrometheusApi,
  indicator: Indicator,
  range: { startMs: number; endMs: number; stepMs: number },
  each: number,
): Promise<Arm> {
  const window = promDuration(range.stepMs);
  const [bad, total] = await Promise.all([
    api.series(badRate(indicator, window), range),
    api.series(totalRate(indicator, window), range),
  ]);
  const badAt = new Map(bad.map(({ atMs, value }) => [atMs, value]));
  const count = (perSecond: number) => Math.round((perSecond * range.stepMs) / 1000);
  const history = total.map(({ atMs, value }) =>
    inUnits({ bad: count(badAt.get(atMs) ?? 0), total: count(value) }, each),
  );
  return { history, sessionsMs: [] };
}

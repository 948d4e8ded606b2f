import { SpeechfbError } from '../../errors.ts';
import { type ReadRun, readRun } from '../../results/read-run.ts';
import {
  type Evaluation,
  evaluateRun,
  evaluateWindows,
  evaluationWindowsMs,
  type WindowCount,
} from '../../slo/service-level/evaluate.ts';
import { badRate, promDuration, totalRate } from '../../slo/service-level/promql.ts';
import type { ServiceLevel, ServiceObjective } from '../../slo/service-level/service-level.ts';
import { createPrometheusApi, type PrometheusApi } from '../../telemetry/prometheus-api.ts';
import type { SloFlags } from './flags.ts';

/** Where each objective stands, by a load test or by a Prometheus. */
export async function measureServiceLevel(level: ServiceLevel, { run, prometheus }: SloFlags): Promise<Evaluation[]> {
  if ((run === undefined) === (prometheus === undefined)) {
    throw new SpeechfbError('bad_flag', 'measurements come from exactly one of --run DIR, --prometheus URL');
  }
  if (run !== undefined) {
    const read = await readRun(run);
    return level.objectives.map((objective) => evaluateRun(objective, countOfRun(read, run, objective), read.doubt));
  }
  const api = createPrometheusApi(prometheus!);
  const nowMs = Date.now();
  return Promise.all(
    level.objectives.map(async (objective) =>
      evaluateWindows(level, objective, await countWindows(api, level, objective, nowMs)),
    ),
  );
}

/** Counts over every window that ends now, from one pair of queries a window. */
function countWindows(api: PrometheusApi, level: ServiceLevel, { indicator }: ServiceObjective, nowMs: number) {
  return Promise.all(
    evaluationWindowsMs(level).map(async (windowMs): Promise<WindowCount> => {
      const window = promDuration(windowMs);
      const [bad, total] = await Promise.all([
        api.value(badRate(indicator, window), nowMs),
        api.value(totalRate(indicator, window), nowMs),
      ]);
      const count = (perSecond: number | undefined) => Math.round(((perSecond ?? 0) * windowMs) / 1000);
      return { windowMs, bad: total === undefined ? 0 : count(bad), total: count(total) };
    }),
  );
}

/** Bad and all events that stand for an objective in a load test. */
export function countOfRun(
  run: ReadRun,
  directory: string,
  { name, indicator }: Pick<ServiceObjective, 'name' | 'indicator'>,
) {
  const { loadtest } = indicator;
  if (!loadtest) {
    const hint = 'write indicator.loadtest: {metric: feedback_latency, atMost: 500ms}';
    throw new SpeechfbError('not_measured', `objective "${name}" names no metric of a load test`, { hint });
  }
  const { metric, atMost } = loadtest;
  const count = atMost === undefined ? run.share(metric) : run.above(metric, atMost);
  if (count) return { windowMs: run.elapsedMs, ...count };
  throw new SpeechfbError('not_measured', `the run in ${directory} has no ${metric}, which stands for "${name}"`);
}

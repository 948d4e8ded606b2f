import { formatMs } from '../../format.ts';
import { costLimit } from '../../results/cost.ts';
import type { LoadReport } from '../../results/report.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';
import { formatValue } from '../terminal/format-value.ts';
import { answersOf } from './quality.ts';

/**
 * Why a run ended as it did, a line each, and what a reader may do about it; both empty for a pass.
 */
export type Ending = { why: readonly string[]; advice: readonly string[] };

/**
 * Reads the reasons of a verdict that is no pass out of the report, so that nobody looks for them
 * in its tables.
 */
export function endingOf(report: LoadReport): Ending {
  const { verdict, objectives, validity } = report;
  if (verdict === 'pass') return { why: [], advice: [] };
  const spent = spentAll(report);
  const failed = objectives.filter((one) => one.verdict === 'fail');
  if (verdict === 'fail') {
    const advice = failed.length > 0 ? adviceOnMisses(report, failed) : [];
    return { why: [...spent, ...failed.map(missed)], advice: [...spent.map(() => adviceOnCost), ...advice] };
  }
  const ill = validity.filter(({ ok }) => !ok);
  if (ill.length > 0) {
    const why = [...spent, ...ill.map(({ check, detail }) => `${check}: ${detail}`)];
    return { why, advice: [...new Set(ill.map(({ check }) => cure[check] ?? cureOfGenerator))] };
  }
  const unproven = objectives.filter((one) => one.verdict === 'invalid');
  if (unproven.length === 0)
    return { why: ['the scenario has no objectives'], advice: ['write some under objectives'] };
  return { why: unproven.map((one) => `${one.objective}: ${one.reason}`), advice: adviceOnProof(report, unproven) };
}

/** The ending as the last lines of a text, below the verdict. */
export function endingLines(report: LoadReport): string[] {
  const { why, advice } = endingOf(report);
  return [...why.map((line) => `why: ${line}`), ...advice.map((line) => `what to do: ${line}`)];
}

const cureOfGenerator =
  'end what else runs on this machine, make the load from another one (--url) or from several (--shard), or with fewer learners';

/**
 * Remedies by the condition that the run did not keep; conditions without one mean an overloaded
 * generator.
 */
const cure: Readonly<Record<string, string>> = {
  'generators alive': 'see why it died; with fewer learners or more --generators each has less to hold',
  'faults happened': 'move the fault to a time when its learners are connected, or mend what kept it from happening',
  'feedback due': 'see the session errors above: nobody was let in, or nothing was spoken after the warm-up',
};

/** That a test was ended since its sound had cost more than it may; empty for others. */
function spentAll({ aborted }: LoadReport): string[] {
  if (aborted?.objective !== costLimit) return [];
  return [`${aborted.objective}: ended the test at ${formatMs(aborted.atMs)}: ${aborted.reason}`];
}

const adviceOnCost = 'allow more in spec.cost.most, or ask for less: fewer learners, or a shorter duration';

function missed({ objective, value, bound, unit, reason }: ObjectiveVerdict): string {
  if (value === undefined) return `${objective}: ${reason}`;
  if (!Number.isFinite(value)) return `${objective}: measured ${formatValue(value, unit)}; ${reason}`;
  const over = formatValue(Math.abs(value - bound), unit);
  const by = value === bound ? 'exactly the bound' : `${over} too ${value > bound ? 'much' : 'little'}`;
  return `${objective}: measured ${formatValue(value, unit)}, ${by}; ${reason}`;
}

function adviceOnMisses(report: LoadReport, failed: readonly ObjectiveVerdict[]): string[] {
  const { stages, sessionErrors } = report;
  const answers = answersOf(report);
  const worst = Object.entries(stages)
    .flatMap(([name, { meanMs }]) => (meanMs === undefined ? [] : [{ name, meanMs }]))
    .sort((a, b) => b.meanMs - a.meanMs)[0];
  const late = failed.some(({ metric, unit }) => metric === answers && unit === 'ms');
  return [
    ...(late && worst
      ? [
          `look at ${worst.name}, the longest stage: ${formatMs(worst.meanMs)} of ${answers === 'feedback_latency' ? 'a feedback' : answers} on average`,
        ]
      : []),
    ...(sessionErrors.length > 0
      ? [`look at the session errors: ${sessionErrors[0]!.count} x ${sessionErrors[0]!.text}`]
      : []),
    'loadtest --find-capacity searches the load that meets them',
  ];
}

/**
 * How much longer a run of the same load would be that has the samples which lack, or how many more
 * learners.
 */
function adviceOnProof({ scenario, warmupMs }: LoadReport, unproven: readonly ObjectiveVerdict[]): string[] {
  const factors = unproven.flatMap(({ samples, needsMore }) =>
    samples > 0 && needsMore !== undefined && Number.isFinite(needsMore) ? [(samples + needsMore) / samples] : [],
  );
  if (factors.length < unproven.length) {
    return ['see that what has no data is spoken or happens in the test'];
  }
  const factor = Math.max(...factors);
  const seconds = Math.ceil(((scenario.durationMs - warmupMs) * factor + warmupMs) / 1000);
  return [`run for ${seconds} s (--duration ${seconds}s) or with ${Math.ceil(scenario.learners * factor)} learners`];
}

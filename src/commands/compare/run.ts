import { resolve } from 'node:path';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { type MetricName, metrics as metricDefinitions } from '../../metrics/definitions.ts';
import { histogramsReady } from '../../metrics/histogram.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import { type Comparison, comparisonVerdict } from '../../report/load/comparison.ts';
import { comparisonText } from '../../report/load/comparison-text.ts';
import { comparedRun } from '../../results/compared-run.ts';
import { type RecordedRun, reportOf } from '../../results/recorded-run.ts';
import { readRuns } from '../../results/run-directories.ts';
import { compareRuns, type Margin } from '../../slo/objective/compare.ts';
import { parseDurationMs, parsePercent } from '../../units.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { CompareFlags } from './flags.ts';

/** Reads both sides, compares them, shows it, and says how it ended. */
export async function runCompare(baseline: string, candidate: string, flags: CompareFlags): Promise<ExitCode> {
  const margin = flag('--margin', parseMargin)(flags.margin);
  if (resolve(baseline) === resolve(candidate))
    throw new SpeechfbError('bad_usage', `"${candidate}" would be compared with itself`, {
      hint: 'name the baseline first, then the candidate: two directories that loadtest --out wrote',
    });
  await histogramsReady();
  const read = (name: string): Side => ({ name, recorded: readRuns(name) });
  const sides = [read(baseline), read(candidate)] as const;
  const compared = sides.map(({ recorded }) => ({ runs: recorded.map(comparedRun) }));
  const metrics = compareRuns(compared[0]!, compared[1]!, margin);
  for (const run of compared.flatMap(({ runs }) => runs)) run[Symbol.dispose]();
  const doubts = sides.flatMap(doubtsOf);
  if (metrics.length === 0) doubts.push('the runs have no measurement in common');
  const [a, b] = sides.map(({ name, recorded }) => ({ name, runs: recorded.length }));
  const judged = {
    doubts,
    metrics,
    undecided: undecidedOf(sides, metrics),
    strict: flags.strict === true,
  };
  const comparison: Comparison = {
    baseline: a!,
    candidate: b!,
    notes: notesOn(sides),
    ...judged,
    verdict: comparisonVerdict(judged),
  };
  if (flags.json) printJson(snakeCased(comparison));
  else printReport(comparison, comparisonText);
  return exitOf(comparison);
}

type Side = { name: string; recorded: readonly RecordedRun[] };

function exitOf({ verdict, strict }: Comparison): ExitCode {
  if (verdict === 'worse') return exitCodes.missed;
  if (verdict === 'invalid' || (strict && verdict === 'undecided')) return exitCodes.invalid;
  return exitCodes.pass;
}

/**
 * Latencies and shares that an objective of either side reads, all without objectives, that the
 * data leave open.
 */
function undecidedOf(sides: readonly Side[], compared: Comparison['metrics']): string[] {
  const objectives = sides.flatMap(({ recorded }) => recorded.flatMap(({ metadata }) => metadata.objectives));
  const asked = objectives.map(({ metric }) => metric).filter(isCompared);
  const names = new Set<string>(objectives.length > 0 ? asked : compared.map(({ of }) => of));
  return [...names].filter((name) => {
    const results = compared.filter(({ of }) => of === name);
    return results.length === 0 || results.some(({ verdict }) => verdict === 'undecided');
  });
}

/**
 * Metrics of the server: how the generator kept its schedule is a condition of the comparison, not
 * a part of it.
 */
function isCompared(name: MetricName): boolean {
  const { kind } = metricDefinitions[name];
  return kind === 'share' || (kind === 'distribution' && name !== 'send_lateness' && name !== 'shaping_lateness');
}

function doubtsOf({ name, recorded }: Side): string[] {
  return recorded.flatMap((run) => {
    const { validity, interrupted } = reportOf(run);
    const failed = validity.filter(({ ok }) => !ok).map(({ check, detail }) => `${name}: ${check}: ${detail}`);
    return interrupted ? [...failed, `${name}: was interrupted`] : failed;
  });
}

function notesOn([a, b]: readonly [Side, Side]): string[] {
  const [was, is] = [a, b].map(({ recorded }) => recorded[0]!.metadata) as [
    RecordedRun['metadata'],
    RecordedRun['metadata'],
  ];
  const notes: string[] = [];
  if (was.scenario.name !== is.scenario.name) {
    notes.push(`different scenarios, ${was.scenario.name} and ${is.scenario.name}: a change may be theirs`);
  } else if (was.scenario.planHash !== is.scenario.planHash) {
    notes.push(`different schedules, ${was.scenario.planHash} and ${is.scenario.planHash}`);
  }
  if (was.environment.cpuModel !== is.environment.cpuModel || was.environment.cpus !== is.environment.cpus) {
    notes.push(`different machines, ${was.environment.cpuModel} and ${is.environment.cpuModel}`);
  }
  for (const { name, recorded } of [a, b])
    if (recorded.some(({ traces }) => traces.length === 0))
      notes.push(`${name} has no traces: the tails of its sessions are not compared`);
  const [part, other] = [was, is].map(partOf);
  if (part !== other) notes.push(`different parts of a test, ${part} and ${other}: speechfb merge joins shards`);
  return notes;
}

function partOf({ shard }: RecordedRun['metadata']): string {
  return shard ? `shard ${shard.index}/${shard.count}` : 'the whole';
}

/** A share of the baseline, and never less than 5 ms; or a time alone. */
function parseMargin(text: string): Margin {
  if (text.trim().endsWith('%')) {
    const share = parsePercent(text);
    if (share <= 1) return { share, leastMs: 5 };
    throw new SpeechfbError('bad_flag', `"${text}" is more than 100%, which hides every change; allowed: up to 100%`);
  }
  return { share: 0, leastMs: parseDurationMs(text) };
}

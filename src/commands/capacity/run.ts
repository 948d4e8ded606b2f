import type { CapacityResult } from '../../capacity/plan/result.ts';
import { parseSweep } from '../../capacity/plan/sweep.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { compareJson, renderComparison } from '../../report/capacity/compare.ts';
import { renderSweep, sweepJson } from '../../report/capacity/sweep.ts';
import { sweepSvg } from '../../report/capacity/sweep-svg.ts';
import { renderCapacity } from '../../report/capacity/text.ts';
import { timelineSvg } from '../../report/capacity/timeline-svg.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import { writeChart } from '../write-chart.ts';
import type { CapacityFlags } from './flags.ts';
import { planFile } from './read.ts';

/**
 * Plans what the flags name, writes it, and returns the exit code: 99 when an assertion was missed.
 */
export async function runCapacity(file: string, flags: CapacityFlags): Promise<ExitCode> {
  const { name } = flags;
  const seed = seedOf(flags.seed);
  if (flags.compare !== undefined && flags.sweep !== undefined)
    throw new SpeechfbError('bad_flag', '--compare and --sweep do not go together');
  if (flags.sweep !== undefined) return runSweep(file, flags, flags.sweep, seed);
  const result = planFile(file, { name, seed });
  if (flags.chart !== undefined) await writeChart(flags.chart, timelineSvg(result));
  if (flags.compare === undefined) {
    if (flags.json) printJson(result);
    else printReport(result, (shown, paint, columns) => renderCapacity(shown, paint, Date.now(), columns));
    return exitCodeOf([result]);
  }
  const other = planFile(flags.compare, { seed });
  if (flags.json) printJson(compareJson(result, other));
  else printReport([result, other] as const, ([first, second]) => renderComparison(first, second));
  return exitCodeOf([result]);
}

async function runSweep(file: string, flags: CapacityFlags, text: string, seed: number | undefined): Promise<ExitCode> {
  const { key, values } = parseSweep(text);
  const rows = values.map((value) => ({
    value,
    result: planFile(file, { name: flags.name, seed, override: { key, value } }),
  }));
  if (flags.chart !== undefined) await writeChart(flags.chart, sweepSvg(key, rows));
  if (flags.json) printJson(sweepJson(key, rows));
  else printReport({ key, rows }, (shown) => renderSweep(shown.key, shown.rows));
  return exitCodeOf(rows.map(({ result }) => result));
}

function exitCodeOf(results: readonly CapacityResult[]): ExitCode {
  return results.some(({ verdict }) => verdict === 'fail') ? exitCodes.missed : exitCodes.pass;
}

function seedOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return seed;
  throw new SpeechfbError('bad_flag', `--seed "${text}" is not a whole number from 0 to 4294967295`);
}

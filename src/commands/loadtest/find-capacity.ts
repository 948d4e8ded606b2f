import { join } from 'node:path';
import { type ExitCode, exitCodes } from '../../errors.ts';
import { curveOf, type MeasuredStep, scenarioWith, stepOf } from '../../load/capacity-step.ts';
import { findCapacity, invalidRepetitions, type Stopped } from '../../load/find-capacity.ts';
import { Purse } from '../../load/purse.ts';
import { checkBill, prepareLoad } from '../../load/scenario/prepare.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import {
  type CapacitySearch,
  capacitySearchText,
  capacityStepLine,
  learnersText,
} from '../../report/load/capacity-search.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { checkOutputs, writeResult } from '../run-output/outputs.ts';
import { printReport } from '../terminal.ts';
import type { LoadtestFlags } from './flags.ts';
import { runOnce } from './once.ts';
import { prepareLoadtest } from './prepare.ts';

const defaults = { from: 10, most: 100_000, stepMs: 20_000, resolution: 0.05 };

/**
 * Searches the largest load that meets the scenario's objectives, and writes the curve that
 * `speechfb capacity` reads.
 */
export async function findLoadCapacity(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkOutputs(flags);
  return await interruptible((signal) => searchLoad(file, flags, signal));
}

async function searchLoad(file: string, flags: LoadtestFlags, signal: AbortSignal): Promise<ExitCode> {
  const { scenario } = prepareLoadtest(file, flags);
  const { from, most, resolution } = { ...defaults, ...flags };
  const stepMs = flags.step ?? defaults.stepMs;
  const purse = new Purse();
  const run = async (learners: number, long: boolean, repetition: number): Promise<MeasuredStep | Stopped> => {
    const lengthMs = long ? 2 * stepMs : stepMs;
    const step = scenarioWith(scenario, learners, lengthMs, (scenario.spec.seed + Number(long)) % 2 ** 32);
    const again = repetition > 0 ? ` again, repetition ${repetition} of ${invalidRepetitions}` : '';
    say(`trying ${learnersText(learners)} for ${lengthMs / 1000} s${again}`);
    const prepared = prepareLoad(step);
    // A search of which not even the first load can be paid is a mistake, as such a test is.
    if (!purse.hasPaid) checkBill(step, prepared.bill);
    if (!purse.pays(prepared.bill)) return 'cost';
    const outcome = await runOnce({ scenario: step, prepared, startAtEpochMs: undefined }, flags, signal);
    if (!outcome || outcome.report.interrupted) return 'interrupted';
    if (purse.isEmptiedBy(outcome.report)) return 'cost';
    const measured = stepOf(outcome.report, learners, lengthMs, long);
    say(capacityStepLine(measured));
    return measured;
  };
  const found = await findCapacity({ from: Math.min(from, most), most, resolution }, run);
  const target = `${scenario.spec.target.url ?? 'a server of this version'}`;
  const search: CapacitySearch = { name: scenario.metadata.name, target, overBill: purse.problem, ...found };
  const json = snakeCased({ kind: 'CapacitySearch', version: 1, ...search });
  if (flags.json) printJson(json);
  else printReport(search, capacitySearchText);
  let complete = true;
  if (flags.out !== undefined) {
    const measured = `speechfb loadtest --find-capacity of ${search.name} against ${target}, ${stepMs / 1000} s a step`;
    if (found.steps.length > 0)
      complete = await writeResult(join(flags.out, 'curve.json'), curveOf(found.steps, measured));
    complete = (await writeResult(join(flags.out, 'capacity.json'), json as object)) && complete;
  }
  if (found.limit === 'interrupted') return exitCodes.interrupted;
  if (found.limit === 'cost') return exitCodes.missed;
  if (found.learners === 0) return found.limit === 'generator' ? exitCodes.invalid : exitCodes.missed;
  if (!found.confirmed) return exitCodes.invalid;
  return complete ? exitCodes.pass : exitCodes.usage;
}

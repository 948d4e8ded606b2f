import type { z } from 'zod';
import { didYouMean } from '../suggest.ts';
import { choleskyOf, correlationMatrix } from './correlation.ts';

/** The parts of a budget's `spec` that must fit together; a part that is itself faulty is absent or not yet a number. */
type Spec = {
  objective?: { value?: unknown };
  stages?: readonly { name?: unknown; budget?: unknown; of?: readonly string[]; distribution?: unknown }[];
  reserve?: unknown;
  unattributed?: readonly string[];
  correlation?: number | readonly { between: readonly [string, string]; value: number }[];
  whatIf?: readonly { name: string; changes: readonly { stage: string }[] }[];
};

/** What no field shows alone: sums, names used twice, names that nothing bears. Says all of it at once. */
export function checkBudget(given: unknown, context: z.RefinementCtx): void {
  const spec = (given ?? {}) as Spec;
  if (!Array.isArray(spec.stages)) return;
  const add = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  checkSum(spec, add);
  checkNames(spec, add);
  checkDistributions(spec, add);
  checkCorrelation(spec, add);
}

type Add = (path: PropertyKey[], message: string) => void;

function checkSum(spec: Spec, add: Add): void {
  const parts = (spec.stages ?? []).map(({ budget }) => budget);
  const terms = [...parts, spec.reserve, spec.objective?.value];
  if (!terms.every((term) => typeof term === 'number')) return;
  const objective = terms.pop()!;
  const sum = terms.reduce((total, term) => total + term, 0);
  // Times are given in whole microseconds at the finest; less is rounding.
  if (Math.abs(sum - objective) < 5e-4) return;
  const gap = round(objective - sum);
  const shown = terms.map(round).join(' + ');
  const advice = gap > 0 ? `${gap} ms are unspent: raise the reserve` : `${-gap} ms too many`;
  add(
    ['stages'],
    `stages and reserve sum to ${round(sum)} ms (${shown}), not to the objective's ${round(objective)} ms; ${advice}`,
  );
}

function checkNames({ stages = [], unattributed = [], whatIf = [] }: Spec, add: Add): void {
  const names = stages.map(({ name }) => String(name));
  const owner = new Map<string, string>();
  stages.forEach(({ name, of }, i) => {
    if (typeof name !== 'string') return;
    if (names.indexOf(name) < i)
      add(['stages', i, 'name'], `a stage "${name}" stands already at stages.${names.indexOf(name)}`);
    for (const part of of ?? [name]) {
      if (owner.has(part))
        add(['stages', i, of ? 'of' : 'name'], `the trace stage "${part}" is already counted in "${owner.get(part)}"`);
      owner.set(part, name);
    }
  });
  unattributed.forEach((part, i) => {
    if (owner.has(part))
      add(['unattributed', i], `the trace stage "${part}" is already counted in "${owner.get(part)}"`);
  });
  whatIf.forEach(({ changes }, w) => {
    changes?.forEach((change, c) => {
      if (change && !names.includes(change.stage))
        add(['whatIf', w, 'changes', c, 'stage'], unknownStage(change.stage, names));
    });
    const first = whatIf.findIndex(({ name }) => name === whatIf[w]!.name);
    if (first < w) add(['whatIf', w, 'name'], `a what-if "${whatIf[w]!.name}" stands already at whatIf.${first}`);
  });
}

function checkDistributions({ stages = [] }: Spec, add: Add): void {
  if (stages.every(({ distribution }) => distribution === undefined)) return;
  stages.forEach(({ name, distribution }, i) => {
    if (distribution === undefined)
      add(['stages', i], `"${name}" declares no distribution though others do; a known time is {constant: 20ms}`);
  });
}

function checkCorrelation({ stages = [], correlation }: Spec, add: Add): void {
  if (correlation === undefined) return;
  const names = stages.map(({ name }) => String(name));
  if (typeof correlation !== 'number') {
    const pairs = correlation.flatMap(({ between }, i) => (between ?? []).map((name) => ({ name, i })));
    const unknown = pairs.filter(({ name }) => !names.includes(name));
    for (const { name, i } of unknown) add(['correlation', i, 'between'], unknownStage(name, names));
    if (unknown.length > 0) return;
  }
  if (choleskyOf(correlationMatrix(names, correlation)) === undefined) {
    add(
      ['correlation'],
      'contradicts itself: no stages can be correlated so (the matrix is not positive semidefinite)',
    );
  }
}

function unknownStage(name: string, names: readonly string[]): string {
  return `"${name}" is not a stage of the budget${didYouMean(name, names)}; its stages: ${names.join(', ')}`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

import type { z } from 'zod';
import { didYouMean } from '../../suggest.ts';
import { choleskyOf, correlationMatrix } from './correlation.ts';

/**
 * The parts of a budget's `spec` that must fit together. A part that is itself faulty is absent:
 * its field says why.
 */
type Spec = {
  stages: readonly { name?: string; budget: unknown; of?: readonly string[]; hasDistribution: boolean }[];
  objective: unknown;
  reserve: unknown;
  unattributed: readonly (string | undefined)[];
  correlation: number | readonly { between: readonly [string, string]; value: number }[] | undefined;
  whatIf: readonly { name: string | undefined; stages: readonly (string | undefined)[] }[];
};

/**
 * What no field shows alone: sums, names used twice, names that nothing bears. Says all of it at
 * once.
 */
export function checkBudget(given: unknown, context: z.RefinementCtx): void {
  const spec = specOf(given);
  const add = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  // A time that was refused is still there as it was written: no sum is made of it.
  if (!context.issues.some(({ path }) => timeKeys.has(String(path?.at(-1))))) checkSum(spec, add);
  checkNames(spec, add);
  checkDistributions(spec, add);
  checkCorrelation(spec, add);
}

const reserved = ['reserve', 'unattributed'];
const timeKeys = new Set(['budget', 'reserve', 'value', 'objective']);

type Add = (path: PropertyKey[], message: string) => void;

function checkSum({ stages, reserve, objective }: Spec, add: Add): void {
  const terms = [...stages.map(({ budget }) => budget), reserve];
  if (typeof objective !== 'number' || !terms.every((term) => typeof term === 'number')) return;
  const sum = terms.reduce((total, term) => total + term, 0);
  // Times are given in whole microseconds at the finest; less is rounding.
  if (stages.length === 0 || Math.abs(sum - objective) < 5e-4) return;
  const gap = round(objective - sum);
  const shown = terms.map(round).join(' + ');
  const advice = gap > 0 ? `${gap} ms are unspent: raise the reserve` : `${-gap} ms too many`;
  add(
    ['stages'],
    `stages and reserve sum to ${round(sum)} ms (${shown}), not to the objective's ${round(objective)} ms; ${advice}`,
  );
}

function checkNames({ stages, unattributed, whatIf }: Spec, add: Add): void {
  const names = stages.map(({ name }) => name);
  const owner = new Map<string, string>();
  const claim = (path: PropertyKey[], part: string, name: string) => {
    if (owner.has(part)) add(path, `the trace stage "${part}" is already counted in "${owner.get(part)}"`);
    owner.set(part, name);
  };
  stages.forEach(({ name, of }, i) => {
    if (name === undefined) return;
    const first = names.indexOf(name);
    if (reserved.includes(name)) add(['stages', i, 'name'], `"${name}" is no stage: the report has a row of that name`);
    else if (first < i) add(['stages', i, 'name'], `a stage "${name}" stands already at stages.${first}`);
    else for (const part of of ?? [name]) claim(['stages', i, of ? 'of' : 'name'], part, name);
  });
  unattributed.forEach((part, i) => {
    if (part !== undefined) claim(['unattributed', i], part, 'unattributed');
  });
  whatIf.forEach(({ name, stages: changed }, w) => {
    changed.forEach((stage, c) => {
      if (stage !== undefined && !names.includes(stage))
        add(['whatIf', w, 'changes', c, 'stage'], unknownStage(stage, names));
    });
    const first = whatIf.findIndex((other) => other.name === name);
    if (name !== undefined && first < w)
      add(['whatIf', w, 'name'], `a what-if "${name}" stands already at whatIf.${first}`);
  });
}

function checkDistributions({ stages }: Spec, add: Add): void {
  if (stages.every(({ hasDistribution }) => !hasDistribution)) return;
  stages.forEach(({ name, hasDistribution }, i) => {
    if (hasDistribution) return;
    add(['stages', i], `"${name}" declares no distribution though others do; a known time is {constant: 20ms}`);
  });
}

function checkCorrelation({ stages, correlation }: Spec, add: Add): void {
  if (correlation === undefined) return;
  const names = stages.map(({ name }) => String(name));
  if (typeof correlation !== 'number') {
    const pairs = correlation.flatMap(({ between }, i) => between.map((name) => ({ name, i })));
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

function unknownStage(name: string, names: readonly (string | undefined)[]): string {
  const known = names.filter((each) => each !== undefined);
  return `"${name}" is not a stage of the budget${didYouMean(name, known)}; its stages: ${known.join(', ')}`;
}

function specOf(given: unknown): Spec {
  const spec = fields(given);
  return {
    stages: list(spec.stages).map((stage) => {
      const { name, budget, of, distribution } = fields(stage);
      const parts = Array.isArray(of) ? { of: of.flatMap((part) => text(part) ?? []) } : {};
      const known = text(name) === undefined ? {} : { name: String(name) };
      return { ...known, ...parts, budget, hasDistribution: distribution !== undefined };
    }),
    objective: fields(spec.objective).value,
    reserve: spec.reserve,
    unattributed: list(spec.unattributed).map(text),
    correlation: correlationOf(spec.correlation),
    whatIf: list(spec.whatIf).map((each) => {
      const { name, changes } = fields(each);
      return { name: text(name), stages: list(changes).map((change) => text(fields(change).stage)) };
    }),
  };
}

function correlationOf(given: unknown): Spec['correlation'] {
  const isRho = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= 1;
  if (!Array.isArray(given)) return isRho(given) ? given : undefined;
  return given.flatMap((pair) => {
    const { between, value } = fields(pair);
    const [a, b] = list(between).map(text);
    return a !== undefined && b !== undefined && isRho(value) ? [{ between: [a, b] as const, value }] : [];
  });
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

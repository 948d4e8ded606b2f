import { SpeechfbError } from '../../errors.ts';

/** One field and the values that it takes in turn. */
export type Sweep = { key: string; values: (string | number)[] };

const most = 100;

/**
 * Reads `--sweep`.
 *
 * ```
 * sweep  = key "=" values
 * values = quantity ".." quantity [ "/" step ]    spike.factor=1..5   pod.startup=30s..120s/30s
 *        | value { "," value }                    pod.streams=60,120,240   scaling.kind=hpa,keda
 * ```
 * Both ends belong to a range, whose step is 1 unless given; its unit is the first end's.
 */
export function parseSweep(text: string): Sweep {
  const [, key, given] = /^\s*([\w.-]+)\s*=\s*(.+?)\s*$/.exec(text) ?? [];
  if (key === undefined || given === undefined) throw bad(text, 'is not key=values');
  const range = /^([-\d.]+?)([a-zA-Z%]*)\.\.([-\d.]+)([a-zA-Z%]*)(?:\/([\d.]+)([a-zA-Z%]*))?$/.exec(given);
  const values = range ? rangeOf(text, range) : given.split(',').map((value) => numberOr(value.trim()));
  if (values.length > most) throw bad(text, `has ${values.length} values; at most ${most} are run`);
  if (values.some((value) => value === '')) throw bad(text, 'has an empty value');
  return { key, values };
}

function rangeOf(text: string, [, low, unit = '', high, highUnit = '', step = '1', stepUnit = '']: string[]) {
  const [from, to, by] = [Number(low), Number(high), Number(step)];
  if (![from, to, by].every(Number.isFinite)) throw bad(text, 'has a bound that is no number');
  if ((highUnit !== '' && highUnit !== unit) || (stepUnit !== '' && stepUnit !== unit))
    throw bad(text, `mixes units; write ${unit || 'none'} at every number`);
  if (to < from || by <= 0) throw bad(text, `goes nowhere from ${low} to ${high} by ${step}`);
  const count = Math.floor((to - from) / by + 1e-9) + 1;
  if (count > most) throw bad(text, `has ${count} values; at most ${most} are run`);
  const numbers = Array.from({ length: count }, (_, i) => Number((from + i * by).toPrecision(12)));
  return unit === '' ? numbers : numbers.map((number) => `${number}${unit}`);
}

function numberOr(value: string): string | number {
  return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}

function bad(text: string, problem: string): SpeechfbError {
  return new SpeechfbError('bad_flag', `--sweep "${text}" ${problem}`, {
    hint: 'for example spike.factor=1..5, headroom=10%..50%/10%, pod.streams=60,120,240',
  });
}

import type { Flat } from './flat-json.ts';

/** A place that says how far a message reaches, or two that add up to it. */
export type TimeField = { pointers: readonly string[]; unit: 's' | 'ms' | 'us' | 'ticks' };

const unitsMs = { s: 1000, ms: 1, us: 0.001, ticks: 0.0001 } as const;

/**
 * The number in these messages that grows as the sound does: it never falls, is never ahead of what
 * was spoken when it came, and ends near the end of the sound. A beginning and a length may be two.
 */
export function timeField(messages: readonly Flat[], soundMs: number): TimeField | undefined {
  const [first] = messages;
  if (!first || messages.length < 2) return undefined;
  const numbers = first.leaves.flatMap(({ pointer, value }) => (typeof value === 'number' ? [pointer] : []));
  const inAll = numbers.filter((pointer) => messages.every((one) => numberAt(one, [pointer]) !== undefined));
  const parent = (pointer: string) => pointer.slice(0, pointer.lastIndexOf('/'));
  const begins = inAll.filter((pointer) => /\/(start|offset|begin)\w*$/i.test(pointer));
  const pairs = begins.flatMap((begin) =>
    inAll
      .filter((length) => parent(length) === parent(begin) && /\/(dur|len)\w*$/i.test(length))
      .map((length) => [begin, length]),
  );
  // Where the sound of one segment begins is known before how long it is: the pair says more.
  const singles = inAll.filter((pointer) => !begins.includes(pointer)).map((pointer) => [pointer]);
  for (const pointers of [...pairs, ...singles]) {
    const unit = unitOf(messages, pointers, soundMs);
    if (unit) return { pointers, unit };
  }
  return undefined;
}

function numberAt({ leaves }: Flat, pointers: readonly string[]): number | undefined {
  let sum = 0;
  for (const pointer of pointers) {
    const value = leaves.find((leaf) => leaf.pointer === pointer)?.value;
    if (typeof value !== 'number') return undefined;
    sum += value;
  }
  return sum;
}

function unitOf(
  messages: readonly Flat[],
  pointers: readonly string[],
  soundMs: number,
): TimeField['unit'] | undefined {
  const values = messages.map((one) => ({ atMs: one.atMs, value: numberAt(one, pointers)! }));
  const last = values.at(-1)!.value;
  const falls = values.some(({ value }, k) => k > 0 && value < values[k - 1]!.value);
  if (falls || last === values[0]!.value) return undefined;
  const names = Object.keys(unitsMs) as TimeField['unit'][];
  return names.find((unit) => {
    const ms = (value: number) => value * unitsMs[unit];
    const near = ms(last) >= 0.5 * soundMs && ms(last) <= 1.1 * soundMs + 500;
    return near && values.every(({ atMs, value }) => ms(value) <= atMs + aheadMs);
  });
}

/** A server may round, and fill up its last block. */
const aheadMs = 150;

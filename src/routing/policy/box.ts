import type { AmountRange } from './fields.ts';
import type { When } from './spec.ts';

/** Some values, or all but some. */
type Words = { but: boolean; words: ReadonlySet<string> };

/** The sessions and moments that a condition fits, as a product of what it says of each matter. */
type Box = { words: readonly Words[]; ranges: readonly AmountRange[] };

const all: Words = { but: true, words: new Set() };
const anyAmount: AmountRange = { from: 0, below: Number.POSITIVE_INFINITY };

/**
 * Whether some session at some moment fits `condition` and none of `earlier`: a rule that is not
 * reachable decides nothing. Exact, by subtracting boxes from boxes; a policy so tangled that it
 * takes more than `mostBoxes` of them is taken for reachable.
 */
export function isReachable(condition: When, earlier: readonly When[]): boolean {
  let left = [boxOf(condition)];
  for (const other of earlier) {
    const away = boxOf(other);
    left = left.flatMap((box) => subtract(box, away));
    if (left.length === 0) return false;
    if (left.length > mostBoxes) return true;
  }
  return true;
}

const mostBoxes = 5000;

function boxOf({ language, tenant, device, lane, load, spend, cold }: When): Box {
  const only = (words: readonly string[] | undefined): Words => (words ? { but: false, words: new Set(words) } : all);
  return {
    words: [only(language), only(tenant), only(device), only(lane), only(cold === undefined ? undefined : [`${cold}`])],
    ranges: [load ?? anyAmount, spend ?? anyAmount],
  };
}

/** What of `box` lies outside `away`, in boxes that do not meet. */
function subtract(box: Box, away: Box): Box[] {
  const outside: Box[] = [];
  let rest = box;
  for (let at = 0; at < box.words.length; at++) {
    const without = exceptWords(rest.words[at]!, away.words[at]!, closed[at]);
    if (!isNobody(without, closed[at])) outside.push({ ...rest, words: rest.words.with(at, without) });
    const within = commonWords(rest.words[at]!, away.words[at]!);
    if (isNobody(within, closed[at])) return [box];
    rest = { ...rest, words: rest.words.with(at, within) };
  }
  for (let at = 0; at < box.ranges.length; at++) {
    const { from, below } = rest.ranges[at]!;
    const other = away.ranges[at]!;
    for (const part of [
      { from, below: Math.min(below, other.from) },
      { from: Math.max(from, other.below), below },
    ])
      if (part.from < part.below) outside.push({ ...rest, ranges: rest.ranges.with(at, part) });
    const within = { from: Math.max(from, other.from), below: Math.min(below, other.below) };
    if (within.from >= within.below) return [box];
    rest = { ...rest, ranges: rest.ranges.with(at, within) };
  }
  return outside;
}

/** The matters of which all values are known, so that all of them together are everything. */
const closed: readonly (readonly string[] | undefined)[] = [
  undefined,
  undefined,
  ['low', 'mid', 'high'],
  ['live', 'batch'],
  ['true', 'false'],
];

function commonWords(one: Words, other: Words): Words {
  if (one.but && other.but) return { but: true, words: new Set([...one.words, ...other.words]) };
  if (one.but) return { but: false, words: new Set([...other.words].filter((word) => !one.words.has(word))) };
  return { but: false, words: new Set([...one.words].filter((word) => other.words.has(word) !== other.but)) };
}

function exceptWords(one: Words, other: Words, known: readonly string[] | undefined): Words {
  const rest = commonWords(one, { but: !other.but, words: other.words });
  if (!rest.but || known === undefined) return rest;
  return { but: false, words: new Set(known.filter((word) => !rest.words.has(word))) };
}

function isNobody({ but, words }: Words, known: readonly string[] | undefined): boolean {
  return but ? known?.every((word) => words.has(word)) === true : words.size === 0;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Learns src/scoring/text/letter-to-sound-rules.ts from the CMU dictionary, leaving every tenth word out for the test:
 * npx tsc -p tsconfig.json --noEmit false --outDir run/tools && node run/tools/scripts/learn-letter-to-sound.js
 *
 * Each letter is aligned with none, one or two phones (expectation by the best path, five rounds). Then rules grow from
 * short contexts to long ones: a longer context is kept where it is right oftener than the shorter ones it refines.
 */
const contexts: readonly [left: number, right: number][] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [0, 2],
  [1, 2],
  [2, 1],
  [0, 3],
  [2, 2],
  [1, 3],
  [3, 1],
  [2, 3],
  [3, 2],
  [1, 4],
  [3, 3],
  [2, 4],
  [3, 4],
  [4, 4],
];
/** How many more words a longer context must get right to be worth its line. */
const worthwhile = 4;

type Example = { word: string; phones: string[] };
type Aligned = { word: string; chunks: string[] };

function readExamples(): Example[] {
  const file = readFileSync(fileURLToPath(import.meta.resolve('cmu-pronouncing-dictionary')), 'utf8');
  const examples: Example[] = [];
  for (const [, word = '', phones = ''] of file.matchAll(/^ {2}"([a-z]+)": "([^"#]*)/gm)) {
    if (word.length > 1) examples.push({ word, phones: phones.trim().replace(/\d/g, '').split(' ') });
  }
  return examples.filter((_, index) => index % 10 !== 0);
}

function align(examples: readonly Example[]): Aligned[] {
  let counts = new Map<string, number>();
  let aligned: Aligned[] = [];
  for (let round = 0; round < 6; round++) {
    const next = new Map<string, number>();
    const totals = new Map<string, number>();
    for (const [pair, count] of counts) totals.set(pair[0]!, (totals.get(pair[0]!) ?? 0) + count);
    const cost = (letter: string, chunk: string) => {
      if (round === 0) return chunk === '' ? 2 : chunk.includes('.') ? 4 : 1;
      return -Math.log(((counts.get(letter + chunk) ?? 0) + 0.01) / ((totals.get(letter) ?? 0) + 10));
    };
    aligned = [];
    for (const example of examples) {
      const chunks = bestChunks(example, cost);
      if (!chunks) continue;
      aligned.push({ word: example.word, chunks });
      for (const [i, chunk] of chunks.entries()) {
        const pair = example.word[i]! + chunk;
        next.set(pair, (next.get(pair) ?? 0) + 1);
      }
    }
    counts = next;
  }
  return aligned;
}

function bestChunks({ word, phones }: Example, cost: (letter: string, chunk: string) => number): string[] | undefined {
  const width = phones.length + 1;
  const best = new Float64Array((word.length + 1) * width).fill(Infinity);
  const taken = new Uint8Array(best.length);
  best[0] = 0;
  for (let i = 0; i < word.length; i++) {
    for (let p = 0; p <= phones.length; p++) {
      const so = best[i * width + p]!;
      if (so === Infinity) continue;
      for (let n = 0; n <= 2 && p + n <= phones.length; n++) {
        const value = so + cost(word[i]!, phones.slice(p, p + n).join('.'));
        const at = (i + 1) * width + p + n;
        if (value < best[at]!) {
          best[at] = value;
          taken[at] = n;
        }
      }
    }
  }
  if (best.at(-1) === Infinity) return undefined;
  const chunks: string[] = [];
  for (let i = word.length, p = phones.length; i > 0; i--) {
    const n = taken[i * width + p]!;
    chunks.unshift(phones.slice(p - n, p).join('.'));
    p -= n;
  }
  return chunks;
}

function learn(aligned: readonly Aligned[]): Map<string, string> {
  const rules = new Map<string, string>();
  /** What the rules so far say of each letter of each word. */
  const said = aligned.map(({ chunks }) => chunks.map(() => ''));
  for (const [left, right] of contexts) {
    const seen = new Map<string, { votes: Map<string, number>; right: number }>();
    const key = (word: string, i: number) => {
      const padded = `#${word}#`;
      if (i + 1 - left < 0 || i + 2 + right > padded.length) return undefined;
      return `${padded.slice(i + 1 - left, i + 1)}[${word[i]}]${padded.slice(i + 2, i + 2 + right)}`;
    };
    for (const [w, { word, chunks }] of aligned.entries()) {
      for (const [i, chunk] of chunks.entries()) {
        const context = key(word, i);
        if (context === undefined) continue;
        const entry = seen.get(context) ?? { votes: new Map<string, number>(), right: 0 };
        seen.set(context, entry);
        entry.votes.set(chunk, (entry.votes.get(chunk) ?? 0) + 1);
        if (said[w]![i] === chunk) entry.right++;
      }
    }
    const fresh = new Map<string, string>();
    for (const [context, { votes, right: before }] of seen) {
      const [chunk, count] = [...votes].reduce((a, b) => (b[1] > a[1] ? b : a));
      if (left + right === 0 || count - before >= worthwhile) fresh.set(context, chunk);
    }
    for (const [w, { word, chunks }] of aligned.entries()) {
      for (const i of chunks.keys()) {
        const chunk = fresh.get(key(word, i) ?? '');
        if (chunk !== undefined) said[w]![i] = chunk;
      }
    }
    for (const [context, chunk] of fresh) rules.set(context, chunk);
  }
  return rules;
}

function write(rules: ReadonlyMap<string, string>): void {
  const byLetter = new Map<string, string[]>();
  for (const [context, chunk] of rules) {
    const letter = /\[(.)\]/.exec(context)![1]!;
    byLetter.set(letter, [...(byLetter.get(letter) ?? []), `${context}${chunk}`]);
  }
  const lines = [...byLetter].sort(([a], [b]) => a.localeCompare(b)).map(([, all]) => all.join(' '));
  const text = `/**
 * Letter-to-sound rules, a letter a line: \`left[letter]right\` and the phones that the letter then stands for (none, one, or
 * two with a dot), \`#\` for the word's edge. Longer contexts win. Made by scripts/learn-letter-to-sound.ts.
 */
export const letterToSoundRules = \`
${lines.join('\n')}
\`;
`;
  writeFileSync(new URL('../../../src/scoring/text/letter-to-sound-rules.ts', import.meta.url), text);
}

const rules = learn(align(readExamples()));
write(rules);
console.log(`${rules.size} rules`);

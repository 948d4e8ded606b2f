/**
 * How well sounds that the text does not have are found: each line of a manifest is read against its text, and again with one
 * word taken out of the text, twice. Run: npm run bench insertions manifest.jsonl [lines [model folder]]
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInlineEngine } from '../src/acoustic/engine/inline-engine.ts';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import type { Deviation } from '../src/protocol/result.ts';
import { scoreFile } from '../src/scoring/score-file.ts';
import { type Reference, resolveReference } from '../src/scoring/text/reference.ts';
import { createRandom } from '../src/stats/random.ts';

const [manifest = 'fixtures/audio/manifest.jsonl', count = '300', folder = 'models/en-learner'] = process.argv.slice(2);
const engine = await createInlineEngine({ model: loadModelPackage(folder) });
const lines = readFileSync(manifest, 'utf8').trim().split('\n').slice(0, Number(count));
const random = createRandom(1);
const plain = { phones: 0, findings: 0 };
const planted = { all: { words: 0, found: 0 }, long: { words: 0, found: 0 } };

for (const line of lines) {
  const { audio, text, words } = JSON.parse(line);
  const reference = resolveReference(words ? { words } : { text: text || 'silence' });
  const length = (word: number) => reference.words[word]!.variants[0]!.length;
  const read = async (of: Reference): Promise<readonly Deviation[]> =>
    (await scoreFile(engine, resolve(dirname(manifest), audio), of, { nbest: 0 })).result.deviations;
  const found = (await read(reference)).filter(({ kind }) => kind === 'inserted');
  plain.findings += found.length;
  plain.phones += reference.words.reduce((sum, _, word) => sum + length(word), 0);
  for (const { first_word, phonemes = [] } of found) {
    process.stderr.write(`${text ?? words.map((word: { text: string }) => word.text).join(' ')} | `);
    process.stderr.write(
      `${first_word}: ${phonemes.map(({ phoneme, confidence }) => `${phoneme} ${confidence}`).join(' ')}\n`,
    );
  }
  for (let plant = 0; plant < 2 && reference.words.length > 2; plant++) {
    const out = random.index(reference.words.length);
    const deviations = await read({ words: reference.words.filter((_, word) => word !== out) });
    const isFound = deviations.some(({ kind }) => kind === 'inserted' || kind === 'other_words');
    for (const of of [planted.all, ...(length(out) >= 3 ? [planted.long] : [])]) {
      of.words += 1;
      of.found += isFound ? 1 : 0;
    }
  }
}
await engine.close();
const share = ({ words, found }: { words: number; found: number }) =>
  `${((100 * found) / words).toFixed(0)} % of ${words}`;
console.log(
  `with the right text: ${plain.findings} findings, ${((100 * plain.findings) / plain.phones).toFixed(2)} on 100 phones`,
);
console.log(
  `with a word taken out: ${share(planted.all)} found; of those of three phones or more ${share(planted.long)}`,
);

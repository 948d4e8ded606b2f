/**
 * How well a wrong phone is told from a right one in native speech, and how often a right one is called wrong: reads a
 * manifest of native recordings ({"id", "audio", "text"} a line, audio relative to it), scores each, then plants one wrong
 * phone of the same class at a time in what is expected. Prints AUC and the share of native phones flagged.
 * Run: npm run bench native MANIFEST [MODEL_DIR]
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInlineEngine } from '../src/acoustic/engine/inline-engine.ts';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import { scoreFile } from '../src/scoring/score-file.ts';
import { resolveReference } from '../src/scoring/text/reference.ts';
import { calibratorOf } from '../src/scoring/utterance-scorer.ts';

/** Phones that are easily taken for one another; a planted phone comes from the class of the true one. */
const classes = [
  'P B T D K G',
  'F V TH DH S Z SH ZH HH',
  'CH JH SH T D ZH',
  'M N NG',
  'L R W Y',
  'IY IH EH EY AE',
  'AA AO AH UH UW OW ER',
  'AW AY OY',
].map((phones) => phones.split(' '));
/** One phone in so many is replaced, one at a time. */
const plantEvery = 4;

const [manifest, modelDir = 'models/en-learner'] = process.argv.slice(2);
if (manifest === undefined) throw new Error('usage: npm run bench native MANIFEST [MODEL_DIR]');
const engine = await createInlineEngine({ model: loadModelPackage(modelDir), device: 'cpu' });
const threshold = calibratorOf(engine.model).flagThreshold;
const right = { score: [] as number[], gop: [] as number[] };
const wrong = { score: [] as number[], gop: [] as number[] };
let left = 0;
let readings = 0;
let phoneCount = 0;
for (const line of readFileSync(manifest, 'utf8').trim().split('\n')) {
  const { audio, text }: { audio: string; text: string } = JSON.parse(line);
  const path = resolve(dirname(manifest), audio);
  const { result, evidence } = await scoreFile(engine, path, resolveReference({ text }), { nbest: 0 });
  readings++;
  if (result.deviations.length > 0) left++;
  const words = result.words.map((word) => ({ text: word.text, phones: word.phonemes.map((phone) => phone.phoneme) }));
  for (const [w, phones] of evidence.entries()) {
    for (const [p, phone] of phones.entries()) {
      right.score.push(phone.score!);
      right.gop.push(phone.result.gop!);
      if (phoneCount++ % plantEvery !== 0) continue;
      const planted = words.map((word) => ({ ...word, phones: [...word.phones] }));
      planted[w]!.phones[p] = similar(phone.result.phoneme, phoneCount);
      const other = await scoreFile(engine, path, resolveReference({ words: planted }), { nbest: 0 });
      wrong.score.push(other.evidence[w]![p]!.score!);
      wrong.gop.push(other.evidence[w]![p]!.result.gop!);
    }
  }
}
await engine.close();
const flagged = right.score.filter((score) => score < threshold).length / right.score.length;
console.log(`${readings} native readings, ${right.score.length} phones, ${wrong.score.length} wrong ones planted`);
console.log(`AUC score ${auc(right.score, wrong.score)}, raw GOP ${auc(right.gop, wrong.gop)}`);
console.log(`flagged below ${threshold}: ${(100 * flagged).toFixed(2)} % of native phones`);
console.log(`readings said to leave the text: ${left}`);

function similar(phone: string, seed: number): string {
  const others = classes.find((phones) => phones.includes(phone))!.filter((other) => other !== phone);
  return others[seed % others.length]!;
}

/** Chance that a right phone scores above a wrong one; ties count half. */
function auc(good: readonly number[], bad: readonly number[]): string {
  const sorted = Float64Array.from(bad).sort();
  const below = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = good.reduce((total, value) => total + (below(value, false) + below(value, true)) / 2, 0);
  return (wins / good.length / bad.length).toFixed(4);
}

/**
 * Whether one word is found in longer speech. Each word of five letters or more that a recording has once, and that is well read
 * there, is the whole text: it is found where most of it lies where the sentence has it, and it is not called wrong or left out.
 * Words of other recordings are the text too: those are never said, and must not be complete.
 * Run: npm run bench longer-speech [manifest.jsonl [lines [words never said, a line]]]
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInlineEngine } from '../src/acoustic/engine/inline-engine.ts';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import type { UtteranceResult } from '../src/protocol/result.ts';
import { scoreFile } from '../src/scoring/score-file.ts';
import { resolveReference } from '../src/scoring/text/reference.ts';

type Line = { audio: string; text: string; kind?: string };

const [manifest = 'fixtures/audio/manifest.jsonl', count = '1000', never = '5'] = process.argv.slice(2);
const shortestLetters = 5;
const wellRead = 85;
const engine = await createInlineEngine({ model: loadModelPackage('models/en-learner') });
const lines: Line[] = readFileSync(manifest, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ text, kind }) => text !== '' && kind !== 'edge')
  .slice(0, Number(count));
const sentences: UtteranceResult[] = [];
for (const line of lines) sentences.push(await read(line, line.text));
const spoken = sentences.map(({ words }) => words.map(({ text }) => text.toLowerCase()));
const vocabulary = [...new Set(spoken.flat().filter((word) => word.length >= shortestLetters))];
const said = { words: 0, placed: 0, found: 0 };
const unsaid = { words: 0, complete: 0 };

for (const [at, line] of lines.entries()) {
  for (const word of sentences[at]!.words) {
    const times = spoken[at]!.filter((other) => other === word.text.toLowerCase()).length;
    if (word.text.length < shortestLetters || times > 1 || word.accuracy === null || word.accuracy < wellRead) continue;
    const [alone] = (await read(line, word.text)).words;
    const overlap = Math.min(alone!.end_ms, word.end_ms) - Math.max(alone!.start_ms, word.start_ms);
    const isPlaced = overlap > (word.end_ms - word.start_ms) / 2;
    said.words += 1;
    said.placed += isPlaced ? 1 : 0;
    said.found += isPlaced && alone!.error_type === 'none' ? 1 : 0;
    if (!isPlaced || alone!.error_type !== 'none') {
      process.stderr.write(`${line.audio} "${word.text}" ${word.start_ms}-${word.end_ms}: `);
      process.stderr.write(`${alone!.error_type} at ${alone!.start_ms}-${alone!.end_ms}\n`);
    }
  }
  const absent = vocabulary.map((_, i) => vocabulary[(i * 7 + at * 3) % vocabulary.length]!);
  for (const word of absent.filter((other) => !spoken[at]!.includes(other)).slice(0, Number(never))) {
    unsaid.words += 1;
    if ((await read(line, word)).scores.completeness === 100) unsaid.complete += 1;
  }
}
await engine.close();
console.log(
  `${said.words} words well said: ${said.placed} placed where they are, ${said.found} of them also called right`,
);
console.log(`${unsaid.words} words never said: ${unsaid.complete} complete`);

async function read({ audio }: Line, text: string): Promise<UtteranceResult> {
  return (await scoreFile(engine, resolve(dirname(manifest), audio), resolveReference({ text }), { nbest: 0 })).result;
}

/**
 * Whether live scores are the offline ones, and how soon they are final. Every line of a manifest is scored twice: whole, as
 * `score` does, and in frames of 20 ms from 16 learners at once on the model's own thread, as `serve` does.
 * Run: npm run bench agreement [manifest.jsonl [model folder]]; without one the recordings of fixtures/audio are read.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInlineEngine } from '../src/acoustic/engine/inline-engine.ts';
import type { AcousticEngine } from '../src/acoustic/engine/types.ts';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import { createWorkerEngine } from '../src/acoustic/worker/worker-engine.ts';
import { createResampler } from '../src/audio/resampler.ts';
import { readWav } from '../src/audio/wav.ts';
import { eachPhone } from '../src/protocol/written-phones.ts';
import { openUtterance } from '../src/scoring/pipeline.ts';
import { scoreFile } from '../src/scoring/score-file.ts';
import { type Reference, resolveReference } from '../src/scoring/text/reference.ts';
import type { JudgedPhone } from '../src/scoring/utterance.ts';

type Line = { audio: string; text: string; words?: { text: string; phones: string[] }[] };
type Reading = { pcm: Float32Array; path: string; reference: Reference };

const manifest = process.argv[2] ?? 'fixtures/audio/manifest.jsonl';
const model = loadModelPackage(process.argv[3] ?? 'models/en-learner');
const emitIntervalMs = 100;
const overhangMs = model.features.windowMs - model.features.hopMs;
const frameSamples = model.sampleRateHz / 50;
const learners = 16;

const readings = readFileSync(manifest, 'utf8')
  .trim()
  .split('\n')
  .map((line) => open(JSON.parse(line)));
const spoken = readings.filter((reading) => reading !== undefined);
const inline = await createInlineEngine({ model });
const worker = await createWorkerEngine({ model });
const differences = { phone: [] as number[], context: [] as number[] };
const lags: number[] = [];
let missing = 0;
let next = 0;
await Promise.all(Array.from({ length: learners }, learn));
await Promise.all([inline.close(), worker.close()]);

for (const [name, values] of Object.entries(differences)) {
  values.sort((a, b) => a - b);
  const within = values.filter((value) => value <= 0.02).length / values.length;
  const worst = values.at(-1)!.toFixed(4);
  console.log(`${name} scores: ${values.length}, ${(100 * within).toFixed(2)} % within .02 (0-2), worst ${worst}`);
}
lags.sort((a, b) => a - b);
const quantile = (share: number) => lags[Math.ceil(share * lags.length) - 1];
console.log(
  `final after the phone's end: p50 ${quantile(0.5)}, p95 ${quantile(0.95)}, p99 ${quantile(0.99)}, at most ${lags.at(-1)} ms of sound`,
);
console.log(`phones missing from either: ${missing}`);

/** Reads one utterance after the other. */
async function learn(): Promise<void> {
  for (let reading = spoken[next++]; reading; reading = spoken[next++]) {
    const offline = (await scoreFile(inline, reading.path, reading.reference, { nbest: 0 })).evidence.flat();
    const live = await readLive(worker, reading);
    missing += Math.abs(offline.length - live.length);
    for (const [index, phone] of offline.entries()) compare(phone, live[index]);
  }
}

function compare(offline: JudgedPhone, live: JudgedPhone | undefined): void {
  if (!live || live.phone !== offline.phone) missing += 1;
  else if (offline.score !== null && live.score !== null) {
    differences.phone.push(Math.abs(offline.score - live.score));
    differences.context.push(Math.abs(offline.scoreInContext! - live.scoreInContext!));
  } else if (offline.score !== live.score) missing += 1;
}

/** The phones as a live session has them; how late each was final goes to `lags`. */
async function readLive(engine: AcousticEngine, { pcm, reference }: Reading): Promise<JudgedPhone[]> {
  const final = new Map<number, number>();
  let evidence: readonly (readonly JudgedPhone[])[] = [];
  const utterance = openUtterance(
    engine,
    reference,
    { emitIntervalMs },
    {
      onFeedback({ audioMs, phones }) {
        for (const { index, isFinal } of eachPhone(phones)) if (isFinal) final.set(index, audioMs + overhangMs);
      },
      onEvidence(words) {
        evidence = words;
      },
      onError(error) {
        throw error;
      },
    },
  );
  for (let at = 0; at < pcm.length; at += frameSamples) {
    utterance.push(pcm.slice(at, at + frameSamples));
    // Others get their turn, as sockets do.
    await new Promise((done) => setImmediate(done));
  }
  await utterance.finish();
  const heardMs = (pcm.length / model.sampleRateHz) * 1000;
  for (const { start, end, result } of evidence.flat()) {
    const atMs = Math.min(final.get(result.index) ?? heardMs, heardMs);
    if (end > start) lags.push(Math.max(0, Math.round(atMs - result.end_ms)));
  }
  return evidence.flat();
}

function open({ audio, text, words }: Line): Reading | undefined {
  if (!words && text === '') return undefined;
  const path = resolve(dirname(manifest), audio);
  const wav = readWav(path);
  const resampler = createResampler(wav.sampleRateHz, model.sampleRateHz);
  const parts = [resampler.push(wav.samples), resampler.flush()];
  const pcm = Float32Array.from(parts.flatMap((part) => [...part]));
  return { pcm, path, reference: resolveReference(words ? { words } : { text }) };
}

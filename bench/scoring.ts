/**
 * What scoring with the shipped calibration costs on one thread, without the acoustic model: microseconds a frame of 20 ms for references of several
 * lengths, with feedback each 100 ms as `serve` sends it and without. Run: npm run bench scoring
 */
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import { LiveScorer } from '../src/scoring/live-scorer.ts';
import { arpabet } from '../src/scoring/text/phones.ts';
import { type Reference, resolveReference } from '../src/scoring/text/reference.ts';
import { calibratorOf } from '../src/scoring/utterance-scorer.ts';

const alphabet = { phones: [...arpabet, 'SIL'], silence: 'SIL', strideMs: 20 };
const calibrator = calibratorOf(loadModelPackage('models/en-learner'));
const sentence = 'the number you have dialed is not in service please check the number and try again';

console.log('words  phones  us/frame  us/frame with feedback');
for (const words of [4, 16, 64, 496]) {
  const text = new Array(Math.ceil(words / 16)).fill(sentence).join(' ').split(' ').slice(0, words).join(' ');
  const reference = resolveReference({ text });
  const phones = reference.words.flatMap((word) => [...word.variants[0]!]);
  measure(reference, phones, true);
  const [plain, live] = [measure(reference, phones, false), measure(reference, phones, true)];
  console.log(
    `${String(words).padStart(5)}  ${String(phones.length).padStart(6)}  ${plain.padStart(8)}  ${live.padStart(8)}`,
  );
}

/** Reads the phones at 5 frames each, ten chances in a hundred spread over the others. */
function measure(reference: Reference, phones: readonly string[], feedback: boolean): string {
  const width = alphabet.phones.length;
  const logPosterior = new Float32Array(5 * width);
  const timing = { queueMs: 0, featuresMs: 0, inferenceMs: 0 };
  const rounds = Math.ceil(20_000 / phones.length);
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) {
    const scorer = new LiveScorer(reference, alphabet, calibrator, { nbest: 3 });
    for (const [at, phone] of phones.entries()) {
      logPosterior.fill(Math.log(0.1 / (width - 1)));
      for (let f = 0; f < 5; f++) logPosterior[f * width + alphabet.phones.indexOf(phone)] = Math.log(0.9);
      scorer.push({ firstFrame: at * 5, count: 5, logPosterior, scoreLogit: logPosterior, timing });
      if (feedback) scorer.takeChanges();
    }
    scorer.finish();
  }
  return (((performance.now() - begun) * 1000) / (rounds * phones.length * 5)).toFixed(2);
}

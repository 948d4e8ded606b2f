import type { AcousticEngine, AcousticFrames } from '../../src/acoustic/engine/types.ts';
import type { ModelPackage } from '../../src/acoustic/model/model-package.ts';
import { arpabet } from '../../src/scoring/text/phones.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';

/** The model that the made-up speech below comes from: ARPAbet and silence, 20 ms a frame, 80 ms of look-ahead. */
export const alphabet = { phones: [...arpabet, 'SIL'], silence: 'SIL', strideMs: 20 };

const phonesOf = (text: string) => resolveReference({ text }).words.flatMap((word) => [...word.variants[0]!]);

/** `SIL 10 HH 5 S~TH 4`: what is heard for how many frames; S~TH is an S that is a little like TH. */
export function utter(...parts: readonly string[]): string[] {
  const tokens = parts.join(' ').trim().split(/\s+/);
  const frames: string[] = [];
  for (let i = 0; i < tokens.length; i += 2) {
    frames.push(...new Array<string>(Number(tokens[i + 1])).fill(tokens[i]!));
  }
  return frames;
}

/** A text read plainly: every phone `frames` long, nothing between the words. */
export function read(text: string, frames = 5): string {
  return phonesOf(text)
    .map((phone) => `${phone} ${frames}`)
    .join(' ');
}

/** Frames as a good model would give them: `sure` of the probability on the phone, the rest spread evenly. */
export function framesOf(heard: readonly string[], sure = 0.9, random: () => number = () => 0): AcousticFrames {
  const width = alphabet.phones.length;
  const logPosterior = new Float32Array(heard.length * width);
  const scoreLogit = new Float32Array(heard.length * width);
  for (const [f, phone] of heard.entries()) {
    const row = logPosterior.subarray(f * width, (f + 1) * width);
    const [main, alike] = phone.split('~');
    for (const [k, name] of alphabet.phones.entries()) {
      const rest = (1 - sure) / (width - 1);
      const share = name === main ? (alike ? sure - 0.03 : sure) : name === alike ? 0.03 : rest;
      row[k] = Math.log(share) + random();
    }
    const mass = Math.log(row.reduce((total, value) => total + Math.exp(value), 0));
    for (let k = 0; k < width; k++) {
      row[k]! -= mass;
      scoreLogit[f * width + k] = alphabet.phones[k] === main ? 3 : -3;
    }
  }
  return frames(logPosterior, scoreLogit, 0, heard.length);
}

/** Rows [from, to) as the engine would hand them out. */
export function cut({ logPosterior, scoreLogit }: AcousticFrames, from: number, to: number): AcousticFrames {
  const width = alphabet.phones.length;
  return frames(
    logPosterior.slice(from * width, to * width),
    scoreLogit!.slice(from * width, to * width),
    from,
    to - from,
  );
}

function frames(
  logPosterior: Float32Array,
  scoreLogit: Float32Array,
  firstFrame: number,
  count: number,
): AcousticFrames {
  return { firstFrame, count, logPosterior, scoreLogit, timing: { queueMs: 0, featuresMs: 0, inferenceMs: 0 } };
}

/**
 * An engine that "hears" the given frames whatever the sound: each 20 ms pushed brings one frame, 80 ms late. `cutEvery`
 * says how many frames come at once.
 */
export function scriptedEngine(script: AcousticFrames, cutEvery = 5): AcousticEngine {
  const model: ModelPackage = {
    ...alphabet,
    name: 'scripted',
    version: '0',
    licence: 'none',
    language: 'en',
    sampleRateHz: 16_000,
    onnxPath: '',
    features: {
      type: 'log-mel',
      windowMs: 25,
      hopMs: 10,
      fft: 512,
      window: 'hann',
      bins: 40,
      lowHz: 60,
      highHz: 7600,
      floor: 1000,
      stack: 2,
      normalisation: {
        type: 'causal-mean',
        priorFrames: 100,
        gateNats: 3.5,
        decayNatsPerFrame: 0.002,
        mean: [],
        deviation: [],
      },
    },
    lookaheadMs: 80,
    inputs: { features: 'x' },
    states: [],
    outputs: { logPosterior: 'logp', scoreLogit: 'score' },
  };
  return {
    model,
    provider: 'cpu',
    open(onFrames) {
      let samples = 0;
      let given = 0;
      const give = (until: number) => {
        while (given < until) {
          const to = Math.min(until, given + cutEvery);
          onFrames(cut(script, given, to));
          given = to;
        }
      };
      return {
        push(pcm) {
          samples += pcm.length;
          give(Math.min(script.count, Math.max(0, Math.floor(samples / 320) - 4)));
        },
        async end() {
          give(Math.min(script.count, Math.floor(samples / 320)));
        },
        giveWay() {},
        close() {},
      };
    },
    stats: () => ({
      streams: 0,
      queueDepth: 0,
      stepP95Ms: 0,
      busy: 0,
      runs: 0,
      meanBatch: 0,
      silentMs: 0,
      restarts: 0,
    }),
    close: async () => {},
  };
}

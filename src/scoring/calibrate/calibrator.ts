import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SpeechfbError } from '../../errors.ts';
import type { Alphabet } from '../align/graph.ts';
import { contextNames } from './context.ts';
import { featureNames } from './features.ts';
import { predictor } from './regressor.ts';
import { regressor } from './regressor-schema.ts';

/** Turns features into human-like scores, 0 (wrong) to 2 (right). */
export type Calibrator = {
  /** `none` when the model ships no calibration. */
  name: string;
  /** Scores below this are shown as errors. */
  flagThreshold: number;
  /**
   * What experts on average give a phone that the aligner did not hear, alone and in context, and
   * how sure that is.
   */
  unheard: { score: number; confidence: number };
  /**
   * Score of one phone from its segment, and 0-1 how sure that is. `phone` counts without silence.
   */
  score(features: Float32Array, phone: number): { score: number; confidence: number };
  /**
   * Score of one phone with its word and utterance; `context` is in the order of `contextNames`.
   */
  scoreInContext(features: Float32Array, phone: number, context: Float32Array): number;
};

/**
 * calibration.json of a model package. Inputs of `score` are the segment's features, one number a
 * phone that is 1 for the expected one, and that phone's priors (what experts usually give it).
 * `confidence` sees the score after them: how probably the experts' mean lies within 0.5 of it.
 * `score_in_context` sees the context after them.
 */
const calibrationFile = z.strictObject({
  name: z.string(),
  features: z.array(z.string()),
  context_features: z.array(z.string()),
  flag_threshold: z.number().min(0).max(2),
  unheard: z.strictObject({ score: z.number().min(0).max(2), confidence: z.number().min(0).max(1) }),
  phone_priors: z.array(z.tuple([z.number(), z.number()])),
  score: regressor,
  confidence: regressor,
  score_in_context: regressor,
});

/**
 * @throws SpeechfbError `bad_model` when the file does not fit the model's alphabet or this
 *   program's features.
 */
export function loadCalibrator(path: string | undefined, alphabet: Alphabet): Calibrator {
  if (path === undefined) return uncalibrated;
  const parsed = calibrationFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) {
    throw new SpeechfbError('bad_model', `${path} is not a calibration`, {
      problems: parsed.error.issues.map((issue) => ({ where: issue.path.join('.'), message: issue.message })),
    });
  }
  const file = parsed.data;
  requireSame(path, 'features', file.features, featureNames(alphabet));
  requireSame(path, 'context_features', file.context_features, contextNames);
  const phones = alphabet.phones.length - 1;
  const hot = file.features.length;
  const priors = file.phone_priors.map((values) => Float32Array.from(values));
  if (priors.length !== phones) {
    throw new SpeechfbError(
      'bad_model',
      `${path}: phone_priors has ${priors.length} rows; allowed: ${phones}, one a phone`,
    );
  }
  const alone = hot + phones + priorsPerPhone;
  const input = new Float32Array(alone + contextNames.length);
  const ofPhone = priors.map((values, phone) => {
    const known = new Float32Array(phones + priorsPerPhone);
    known[phone] = 1;
    known.set(values, phones);
    return known;
  });
  const known = { from: hot, cases: ofPhone };
  const score = predictor(file.score, known);
  const confidence = predictor(file.confidence, known);
  const scoreInContext = predictor(file.score_in_context, known);
  return {
    name: file.name,
    flagThreshold: file.flag_threshold,
    unheard: file.unheard,
    score(features, phone) {
      input.set(features);
      const value = clampScore(score(input, phone));
      input[alone] = value;
      return { score: value, confidence: Math.min(1, Math.max(0, confidence(input, phone))) };
    },
    scoreInContext(features, phone, context) {
      input.set(features);
      input.set(context, alone);
      return clampScore(scoreInContext(input, phone));
    },
  };
}

/** Mean score, and share of scores below 1. */
const priorsPerPhone = 2;

/**
 * A logistic on the mean log-posterior (feature 0): only to have graded scores before a model is
 * calibrated.
 */
const uncalibrated: Calibrator = {
  name: 'none',
  flagThreshold: 1,
  unheard: { score: 0, confidence: 1 },
  score(features) {
    const value = 2 / (1 + Math.exp(-(3 + 1.2 * features[0]!)));
    return { score: value, confidence: confidenceOf(value) };
  },
  scoreInContext(features, phone, context) {
    // Half from the phone itself, half from its word and the reading as a whole.
    return clampScore(0.6 * this.score(features, phone).score + 0.25 * context[1]! + 0.15 * context[3]!);
  },
};

/** Scores near either end are surer than those in the middle. */
function confidenceOf(score: number): number {
  return Math.abs(score - 1);
}

function clampScore(score: number): number {
  return Math.min(2, Math.max(0, score));
}

function requireSame(path: string, key: string, given: readonly string[], wanted: readonly string[]): void {
  const at = wanted.findIndex((name, index) => given[index] !== name);
  if (at < 0 && given.length === wanted.length) return;
  const place = at < 0 ? wanted.length : at;
  throw new SpeechfbError(
    'bad_model',
    `${path}: ${key}[${place}] is "${given[place] ?? 'absent'}" where "${wanted[place] ?? 'the end'}" is expected`,
    { hint: 'fit the calibration again from the output of `speechfb score --features`' },
  );
}

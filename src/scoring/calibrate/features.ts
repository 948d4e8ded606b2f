import type { FrameStore } from '../align/frame-store.ts';
import type { Alphabet } from '../align/graph.ts';

/**
 * What the calibrator knows of one phone, from its segment alone. l is the log-posterior, v the
 * score logit, q the expected phone, ml and mv the segment's means of l and v; "other" ranges over
 * the phones without silence. After these come `ml_AA` and so on for each phone in the model's
 * order and for silence, at least -12, and `mv_AA` and so on for each phone.
 */
export const SEGMENT_FEATURES = [
  /** Mean and maximum of l[q]. */
  'lp',
  'lpmax',
  /** Mean of l[q] - max other l. */
  'lpr',
  /** ml[q] - max other ml. */
  'seglr',
  /** ml[q] - ln sum exp ml over the phones. */
  'seglp',
  /** Mean of exp l[q]. */
  'pp',
  /** Mean, minimum, maximum and middle frame of v[q]; 0 for models without a score head. */
  'ver',
  'vermin',
  'vermax',
  'vmid',
  /** mv[q] - mean of the other mv. */
  'vr',
  /** Mean entropy of a frame's posteriors, nats. */
  'ent',
  /** Mean posterior of silence. */
  'psil',
  /** 1 when q is the largest of ml among the phones. */
  'top',
  /** ln of the segment's length in frames. */
  'logdur',
] as const;

/** Names of all features for a model with this alphabet, in order. */
export function featureNames({ phones, silence }: Alphabet): string[] {
  const spoken = phones.filter((phone) => phone !== silence);
  return [
    ...SEGMENT_FEATURES,
    ...[...spoken, silence].map((phone) => `ml_${phone}`),
    ...spoken.map((phone) => `mv_${phone}`),
  ];
}

/** Where the model's outputs keep its phones (without silence, in its order) and silence. */
export type PhoneColumns = {
  names: readonly string[];
  posterior: readonly number[];
  logit: readonly number[];
  silence: number;
};

/** @param logits Width of the score head: with or without a column for silence; 0 for none. */
export function phoneColumns({ phones, silence }: Alphabet, logits: number): PhoneColumns {
  const names = phones.filter((phone) => phone !== silence);
  const posterior = names.map((phone) => phones.indexOf(phone));
  const logit = logits === names.length ? names.map((_, index) => index) : posterior;
  return { names, posterior, logit, silence: phones.indexOf(silence) };
}

export type SegmentFeatures = {
  /** In the order of `featureNames`. */
  values: Float32Array;
  /**
   * Mean log-posterior of each phone over the segment, and its exponential; the next call writes
   * over both.
   */
  means: Float64Array;
  shares: Float64Array;
  /** Sum of `shares`. */
  mass: number;
};

/** Memory that a call leaves to the next. */
type Scratch = { means: Float64Array; shares: Float64Array; logits: Float64Array };
let scratch: Scratch = scratchFor(0);

function scratchFor(phones: number): Scratch {
  return { means: new Float64Array(phones), shares: new Float64Array(phones), logits: new Float64Array(phones) };
}

/**
 * Features of phone `q` (an index into `columns.names`) over frames [start, end) of the store; at
 * least one frame.
 */
export function segmentFeatures(
  store: FrameStore,
  columns: PhoneColumns,
  q: number,
  start: number,
  end: number,
): SegmentFeatures {
  const n = end - start;
  const count = columns.names.length;
  if (scratch.means.length !== count) scratch = scratchFor(count);
  const { means, shares, logits } = scratch;
  means.fill(0);
  logits.fill(0);
  const { logPosterior: l, scoreLogit: v } = store;
  const { posterior, logit } = columns;
  const hasVerdicts = store.logits > 0;
  let [lp, lpr, pp, ent, sil, psil, verdicts] = [0, 0, 0, 0, 0, 0, 0];
  let [lpMax, vMin, vMax, vMid] = [-Infinity, Infinity, -Infinity, 0];
  for (let f = start; f < end; f++) {
    const row = store.posteriorAt(f);
    const own = l[row + posterior[q]!]!;
    let other = -Infinity;
    for (let k = 0; k < count; k++) {
      const value = l[row + posterior[k]!]!;
      means[k]! += value;
      if (k !== q && value > other) other = value;
    }
    let verdict = 0;
    if (hasVerdicts) {
      const verdictRow = store.logitAt(f);
      for (let k = 0; k < count; k++) logits[k]! += v[verdictRow + logit[k]!]!;
      verdict = v[verdictRow + logit[q]!]!;
    }
    const silence = l[row + columns.silence]!;
    ent += store.entropy(f);
    lp += own;
    lpr += own - other;
    pp += Math.exp(own);
    sil += silence;
    psil += Math.exp(silence);
    if (own > lpMax) lpMax = own;
    verdicts += verdict;
    if (verdict < vMin) vMin = verdict;
    if (verdict > vMax) vMax = verdict;
    if (f === start + (n >> 1)) vMid = verdict;
  }
  const { bestOther, mass, otherLogits } = sumsToMeans(scratch, n, q);
  const margin = means[q]! - bestOther;
  const values = new Float32Array(SEGMENT_FEATURES.length + 2 * count + 1);
  values[0] = lp / n;
  values[1] = lpMax;
  values[2] = lpr / n;
  values[3] = margin;
  values[4] = means[q]! - Math.log(mass);
  values[5] = pp / n;
  values[6] = verdicts / n;
  values[7] = vMin;
  values[8] = vMax;
  values[9] = vMid;
  values[10] = logits[q]! - otherLogits / (count - 1);
  values[11] = ent / n;
  values[12] = psil / n;
  values[13] = margin > 0 ? 1 : 0;
  values[14] = Math.log(n);
  const head = SEGMENT_FEATURES.length;
  for (let k = 0; k < count; k++) {
    values[head + k] = Math.max(-12, means[k]!);
    values[head + count + 1 + k] = logits[k]!;
  }
  values[head + count] = Math.max(-12, sil / n);
  return { values, means, shares, mass };
}

/**
 * Turns sums over `n` frames into means, in place, fills the shares, and compares phone `q` with
 * the others.
 */
function sumsToMeans({ means, shares, logits }: Scratch, n: number, q: number) {
  let bestOther = -Infinity;
  let mass = 0;
  let otherLogits = 0;
  for (let k = 0; k < means.length; k++) {
    const mean = means[k]! / n;
    means[k] = mean;
    const share = Math.exp(mean);
    shares[k] = share;
    mass += share;
    logits[k]! /= n;
    if (k === q) continue;
    if (mean > bestOther) bestOther = mean;
    otherLogits += logits[k]!;
  }
  return { bestOther, mass, otherLogits };
}

/**
 * Raw goodness of pronunciation, nats, <= 0: the mean log-posterior of the expected phone plus, for
 * models with a score head, the log of the least probability (over the frames) that it is right.
 * Nothing in it is fitted.
 */
export function rawGop({ values }: Pick<SegmentFeatures, 'values'>, hasScoreHead: boolean): number {
  const lp = Math.min(0, values[SEGMENT_FEATURES.indexOf('lp')]!);
  if (!hasScoreHead) return lp;
  return lp - Math.log1p(Math.exp(-values[SEGMENT_FEATURES.indexOf('vermin')]!));
}

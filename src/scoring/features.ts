import type { FrameStore } from './frame-store.ts';
import type { Alphabet } from './graph.ts';

/**
 * What the calibrator knows of one phone, from its segment alone. l is the log-posterior, v the score logit, q the
 * expected phone, ml and mv the segment's means of l and v; "other" ranges over the phones without silence. After these
 * come `ml_AA` and so on for each phone in the model's order and for silence, at least -12, and `mv_AA` and so on for
 * each phone.
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
  /** Mean log-posterior of each phone over the segment. */
  means: Float32Array;
};

/** Features of phone `q` (an index into `columns.names`) over frames [start, end) of the store; at least one frame. */
export function segmentFeatures(
  store: FrameStore,
  columns: PhoneColumns,
  q: number,
  start: number,
  end: number,
): SegmentFeatures {
  const n = end - start;
  const count = columns.names.length;
  const means = new Float32Array(count);
  const logits = new Float32Array(count);
  const sums = { lp: 0, lpr: 0, pp: 0, ent: 0, sil: 0, psil: 0, v: 0 };
  let [lpMax, vMin, vMax, vMid] = [-Infinity, Infinity, -Infinity, 0];
  for (let f = start; f < end; f++) {
    const l = store.logPosterior(f);
    const v = store.scoreLogit(f);
    const own = l[columns.posterior[q]!]!;
    let other = -Infinity;
    for (let k = 0; k < count; k++) {
      const value = l[columns.posterior[k]!]!;
      means[k]! += value / n;
      if (k !== q && value > other) other = value;
      if (v.length > 0) logits[k]! += v[columns.logit[k]!]! / n;
    }
    for (const value of l) sums.ent -= value * Math.exp(value);
    const silence = l[columns.silence]!;
    sums.lp += own;
    sums.lpr += own - other;
    sums.pp += Math.exp(own);
    sums.sil += silence;
    sums.psil += Math.exp(silence);
    lpMax = Math.max(lpMax, own);
    const verdict = v.length > 0 ? v[columns.logit[q]!]! : 0;
    sums.v += verdict;
    vMin = Math.min(vMin, verdict);
    vMax = Math.max(vMax, verdict);
    if (f === start + (n >> 1)) vMid = verdict;
  }
  let bestOther = -Infinity;
  let mass = 0;
  let otherLogits = 0;
  for (let k = 0; k < count; k++) {
    mass += Math.exp(means[k]!);
    if (k === q) continue;
    bestOther = Math.max(bestOther, means[k]!);
    otherLogits += logits[k]! / (count - 1);
  }
  const margin = means[q]! - bestOther;
  const head = [
    sums.lp / n,
    lpMax,
    sums.lpr / n,
    margin,
    means[q]! - Math.log(mass),
    sums.pp / n,
    sums.v / n,
    vMin,
    vMax,
    vMid,
    logits[q]! - otherLogits,
    sums.ent / n,
    sums.psil / n,
    margin > 0 ? 1 : 0,
    Math.log(n),
  ];
  const values = new Float32Array(head.length + 2 * count + 1);
  values.set(head);
  for (let k = 0; k < count; k++) values[head.length + k] = Math.max(-12, means[k]!);
  values[head.length + count] = Math.max(-12, sums.sil / n);
  values.set(logits, head.length + count + 1);
  return { values, means };
}

/**
 * Raw goodness of pronunciation, nats, <= 0: the mean log-posterior of the expected phone plus, for models with a score
 * head, the log of the least probability (over the frames) that it is right. Nothing in it is fitted.
 */
export function rawGop({ values }: SegmentFeatures, hasScoreHead: boolean): number {
  const lp = Math.min(0, values[SEGMENT_FEATURES.indexOf('lp')]!);
  if (!hasScoreHead) return lp;
  return lp - Math.log1p(Math.exp(-values[SEGMENT_FEATURES.indexOf('vermin')]!));
}

import type { ErrorType, PhonemeResult } from '../protocol/result.ts';
import type { Segment } from './align/aligner.ts';
import type { FrameStore } from './align/frame-store.ts';
import { type Graph, neighbours } from './align/graph.ts';
import type { Calibrator } from './calibrate/calibrator.ts';
import { type PhoneColumns, rawGop, type SegmentFeatures, segmentFeatures } from './calibrate/features.ts';

/** One phone of the reading with all that was measured on it. */
export type ScoredPhone = {
  state: number;
  word: number;
  /** Place in the word, from 0. */
  depth: number;
  /** Frames [start, end); start = end for a phone that was not heard. */
  start: number;
  end: number;
  /** Index into the model's phones without silence. */
  phone: number;
  /** Undefined when unscored or not heard. */
  features: Float32Array | undefined;
  /** 0-2 from this segment alone; null when unscored. */
  score: number | null;
  result: PhonemeResult;
  /** Frames that had been heard when this was said. */
  saidAt: number;
};

/** What the scores of a phone are made from. */
export type PhoneScoring = {
  graph: Graph;
  store: FrameStore;
  columns: PhoneColumns;
  calibrator: Calibrator;
  strideMs: number;
  /** How many likely phones each result names. */
  nbest: number;
};

/** GOP of a phone that was not heard, nats: below any that is. */
export const unheardGop = -15;

/**
 * Frames in which hardly a phone can be said: a wrong one as short as this may have been left out.
 */
const omittedFrames = 2;

/**
 * Scores one phone from its segment; an empty segment is a phone that was not heard.
 *
 * @param lost Whether its audio was lost: it is `unscored` then, never wrong.
 */
export function scorePhone(
  scoring: PhoneScoring,
  { state, start, end }: Segment,
  status: PhonemeResult['status'],
  saidAt: number,
  lost: boolean,
): ScoredPhone {
  const { graph, store, columns, calibrator, strideMs } = scoring;
  const word = graph.word[state]!;
  const depth = graph.depth[state]!;
  const phone = columns.posterior.indexOf(graph.emission[state]!);
  // Written out: where objects are spread, V8 takes ten times as long, and this is done for each
  // phone of a text.
  const said = (score: number | null, features: Float32Array | undefined, verdict: Verdict): ScoredPhone => ({
    state,
    word,
    depth,
    start,
    end,
    phone,
    saidAt,
    features,
    score,
    result: {
      index: graph.firstIndex[word]! + depth,
      word_index: word,
      phoneme: columns.names[phone]!,
      start_ms: start * strideMs,
      end_ms: end * strideMs,
      status,
      gop: verdict.gop,
      accuracy: verdict.accuracy,
      confidence: verdict.confidence,
      error_type: verdict.error_type,
      nbest: verdict.nbest,
    },
  });
  if (lost) {
    return said(null, undefined, { gop: null, accuracy: null, confidence: 0, error_type: 'unscored', nbest: [] });
  }
  if (end === start) {
    const { score, confidence } = calibrator.unheard;
    return said(score, undefined, {
      gop: unheardGop,
      accuracy: score * 50,
      confidence,
      error_type: 'omission',
      nbest: [],
    });
  }
  const measured = segmentFeatures(store, columns, phone, store.oldest(start), end);
  const { values } = measured;
  const { score, confidence } = calibrator.score(values, phone);
  const heard = likeliest(columns.names, measured, Math.max(1, scoring.nbest));
  return said(score, values, {
    gop: round(rawGop(measured, store.logits > 0), 1e4),
    accuracy: round(score * 50, 10),
    confidence: round(confidence, 1000),
    error_type:
      score < calibrator.flagThreshold ? errorType(scoring, { state, start, end }, heard[0]!.phoneme) : 'none',
    nbest: heard.slice(0, scoring.nbest),
  });
}

type Verdict = Pick<PhonemeResult, 'gop' | 'accuracy' | 'confidence' | 'error_type' | 'nbest'>;

/**
 * A wrong phone was left out when it has hardly any room and what sounds there is a neighbour; else
 * it was replaced.
 */
function errorType({ graph, columns }: PhoneScoring, { state, start, end }: Segment, heard: string): ErrorType {
  if (end - start > omittedFrames) return 'substitution';
  const beside = neighbours(graph, state).map((column) => columns.names[columns.posterior.indexOf(column)]);
  return beside.includes(heard) ? 'omission' : 'substitution';
}

/** The phones that a segment sounded most like: shares of the geometric mean of its posteriors. */
function likeliest(
  names: readonly string[],
  { shares, mass }: SegmentFeatures,
  count: number,
): { phoneme: string; score: number }[] {
  const best: number[] = [];
  for (let index = 0; index < shares.length; index++) {
    const share = shares[index]!;
    if (best.length === count && share <= shares[best[count - 1]!]!) continue;
    let place = Math.min(best.length, count - 1);
    for (; place > 0 && share > shares[best[place - 1]!]!; place--) best[place] = best[place - 1]!;
    best[place] = index;
  }
  return best.map((index) => ({ phoneme: names[index]!, score: round(shares[index]! / mass, 1000) }));
}

/**
 * To steps of 1 / `steps`: digits beyond what was measured are only bytes to write, send and read.
 */
function round(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}

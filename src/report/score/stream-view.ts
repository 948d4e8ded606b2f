import type { PhonemeResult, UtteranceResult } from '../../protocol/result.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';

/** What a screen shows of one live reading. */
export type StreamView = {
  file: string;
  state: 'connecting' | 'reading' | 'reconnecting' | 'finished';
  spokenMs: number;
  totalMs: number;
  words: readonly WordView[];
  /** Latency of each event that covered sound, ms, in order of receipt. */
  latenciesMs: readonly number[];
  drops: number;
  resumes: number;
  result: UtteranceResult | undefined;
};

/** A word with the phones that have been heard; the rest of `reference` is still to come. */
export type WordView = {
  text: string;
  confirmed: boolean;
  reference: readonly string[];
  results: readonly PhonemeResult[];
};

export function newStreamView(file: string, totalMs: number): StreamView {
  return {
    file,
    state: 'connecting',
    spokenMs: 0,
    totalMs,
    words: [],
    latenciesMs: [],
    drops: 0,
    resumes: 0,
    result: undefined,
  };
}

/** The view after an event. */
export function withEvent(view: StreamView, event: ServerEvent, latencyMs: number | undefined): StreamView {
  const next = latencyMs === undefined ? view : { ...view, latenciesMs: [...view.latenciesMs, latencyMs] };
  switch (event.type) {
    case 'ready':
      if (event.resumed) return { ...next, state: 'reading', resumes: view.resumes + 1 };
      return { ...next, state: 'reading', words: event.reference.words.map(wordView) };
    case 'phoneme_feedback':
      return { ...next, words: withPhones(next.words, event.phonemes) };
    case 'transcript': {
      const confirmed = new Set(event.words.filter((word) => word.is_final).map((word) => word.word_index));
      const words = next.words.map((word, i) => (confirmed.has(i) ? { ...word, confirmed: true } : word));
      return { ...next, words };
    }
    case 'utterance_final': {
      const { heard, scores, words, deviations, pace, final_lag_ms } = event;
      const result = { heard, scores, words, deviations, pace, final_lag_ms };
      const read = next.words.map((word, i) => ({ ...word, confirmed: true, results: words[i]?.phonemes ?? [] }));
      return { ...next, state: 'finished', result, words: read };
    }
    default:
      return next;
  }
}

export type Grade = 'good' | 'fair' | 'poor' | 'unscored';

/** How a phone reads at a glance: by its error type first, then by its score. */
export function gradeOf(result: PhonemeResult): Grade {
  if (result.error_type === 'unscored') return 'unscored';
  if (result.error_type !== 'none') return 'poor';
  if (result.accuracy === null) return 'unscored';
  return result.accuracy >= goodAccuracy ? 'good' : 'fair';
}

/** Beside the colour, so that the screen reads without it. */
export const gradeSymbols = { good: '', fair: '~', poor: '!', unscored: '?' } as const satisfies Record<Grade, string>;

const goodAccuracy = 75;

function wordView({ text, phones }: { text: string; phones: readonly string[] }): WordView {
  return { text, confirmed: false, reference: phones, results: [] };
}

function withPhones(words: readonly WordView[], updates: readonly PhonemeResult[]): WordView[] {
  return words.map((word, wordIndex) => {
    const mine = updates.filter((result) => result.word_index === wordIndex);
    if (mine.length === 0) return word;
    const kept = word.results.filter((result) => !mine.some(({ index }) => index === result.index));
    return { ...word, results: [...kept, ...mine].sort((a, b) => a.index - b.index) };
  });
}

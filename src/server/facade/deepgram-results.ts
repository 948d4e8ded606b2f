import type { SureWord } from './segmented-speech.ts';

/** A result of Deepgram's live API, and what this server adds to it. */
export type LiveResult = {
  requestId: string;
  model: { name: string; version: string };
  /** The segment, on the session's clock, ms. */
  startMs: number;
  coversMs: number;
  /** How sure words are that have no confidence of their own, 0 to 1. */
  stability: number;
  words: readonly SureWord[];
  isFinal: boolean;
  speechFinal?: boolean;
  fromFinalize?: boolean;
  /** JSON of the key `pronunciation`. */
  pronunciation?: string | undefined;
  /** What wrote the words, where a routing policy decides it. */
  backend?: string | undefined;
};

/** The message, as it is sent. Times are seconds. */
export function resultsText(results: LiveResult): string {
  const { startMs, coversMs, isFinal, speechFinal = false, fromFinalize = false, model, pronunciation } = results;
  const sure = (word: SureWord): number => word.confidence ?? (word.is_final ? 1 : results.stability);
  // A word without times stands in the transcript alone: clients take both for numbers.
  const words = results.words.flatMap((word) => {
    const { text, start_ms, end_ms } = word;
    if (start_ms === undefined || end_ms === undefined) return [];
    const times = { start: seconds(start_ms), end: seconds(end_ms) };
    return { word: text.toLowerCase(), ...times, confidence: share(sure(word)), punctuated_word: text };
  });
  const transcript = results.words.map(({ text }) => text).join(' ');
  const total = results.words.reduce((sum, word) => sum + sure(word), 0);
  const confidence = results.words.length === 0 ? 0 : share(total / results.words.length);
  const text = JSON.stringify({
    type: 'Results',
    channel_index: [0, 1],
    duration: seconds(coversMs - startMs),
    start: seconds(startMs),
    is_final: isFinal,
    speech_final: speechFinal,
    channel: { alternatives: [{ transcript, confidence, words }] },
    metadata: {
      request_id: results.requestId,
      model_info: { name: model.name, version: model.version, arch: 'speechfb' },
      model_uuid: '00000000-0000-0000-0000-000000000000',
    },
    from_finalize: fromFinalize,
    backend: results.backend,
  });
  return pronunciation === undefined ? text : `${text.slice(0, -1)},"pronunciation":${pronunciation}}`;
}

function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1e6;
}

function share(value: number): number {
  return Math.round(value * 1000) / 1000;
}

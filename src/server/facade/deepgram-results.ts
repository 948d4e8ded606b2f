import type { TranscriptWord } from '../../protocol/server-messages.ts';

/** A result of Deepgram's live API, and what this server adds to it. */
export type LiveResult = {
  requestId: string;
  model: { name: string; version: string };
  /** The segment, on the session's clock, ms. */
  startMs: number;
  coversMs: number;
  /** How sure words are that have no confidence of their own, 0 to 1. */
  stability: number;
  words: readonly (TranscriptWord & { confidence?: number })[];
  isFinal: boolean;
  speechFinal?: boolean;
  fromFinalize?: boolean;
  /** JSON of the key `pronunciation`. */
  pronunciation?: string | undefined;
};

/** The message, as it is sent. Times are seconds. */
export function resultsText(results: LiveResult): string {
  const { startMs, coversMs, isFinal, speechFinal = false, fromFinalize = false, model, pronunciation } = results;
  const words = results.words.map((word) => ({
    word: word.text.toLowerCase(),
    start: seconds(word.start_ms),
    end: seconds(word.end_ms),
    confidence: share(word.confidence ?? (word.is_final ? 1 : results.stability)),
    punctuated_word: word.text,
  }));
  const transcript = results.words.map(({ text }) => text).join(' ');
  const total = words.reduce((sum, { confidence }) => sum + confidence, 0);
  const confidence = words.length === 0 ? 0 : share(total / words.length);
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
  });
  return pronunciation === undefined ? text : `${text.slice(0, -1)},"pronunciation":${pronunciation}}`;
}

function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1e6;
}

function share(value: number): number {
  return Math.round(value * 1000) / 1000;
}

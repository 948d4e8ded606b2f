import type { AcousticEngine, EngineStats } from '../../../src/acoustic/engine/types.ts';
import { SpeechfbError } from '../../../src/errors.ts';
import type { PhonemeResult } from '../../../src/protocol/result.ts';
import { writePhones } from '../../../src/protocol/written-phones.ts';
import type { PipelineEvents, UtterancePipeline, UtteranceSettings } from '../../../src/scoring/pipeline.ts';
import type { Reference } from '../../../src/scoring/text/reference.ts';
import type { Scoring } from '../../../src/server/hearing/local-model.ts';

/**
 * Scoring without a model, for tests of the server alone: the reference's phones are read one each `phoneMs` of sound,
 * provisional as soon as they have begun and final `finalAfterMs` later. The same sound gives the same phones.
 */
export const scriptedScoring: Scoring = {
  readReference(input) {
    if ('words' in input) {
      const words = input.words.map(({ text, phones }) => ({ text, variants: [phones], source: 'given' as const }));
      return { words };
    }
    const words = input.text.match(/[a-z']+/gi);
    if (!words) throw new SpeechfbError('invalid_reference', `"${input.text}" holds no word`);
    return {
      words: words.map((text) => ({ text, variants: [[...text.toUpperCase()]], source: 'letter_to_sound' as const })),
    };
  },
  openUtterance: (_engine, reference, settings, events) => read(reference, settings, events),
};

/** An engine that is only asked for its model and its statistics. */
export function scriptedEngine(stats: Partial<EngineStats> = {}): AcousticEngine {
  const model = { name: 'scripted', version: '0', language: 'en-US', sampleRateHz: 16_000, lookaheadMs: 80 };
  const features = { windowMs: 10, hopMs: 10 };
  return {
    model: { ...model, features, phones: ['SIL', 'A', 'B'] } as unknown as AcousticEngine['model'],
    provider: 'none',
    open: () => {
      throw new Error('the scripted engine runs nothing');
    },
    stats: () => ({ ...idle, ...stats }),
    close: async () => {},
  };
}

const idle: EngineStats = {
  streams: 0,
  queueDepth: 0,
  stepP95Ms: 1,
  busy: 0,
  runs: 0,
  meanBatch: 1,
  silentMs: 0,
  restarts: 0,
};

const phoneMs = 100;
const finalAfterMs = 200;

function read(
  reference: Reference,
  { emitIntervalMs, startMs }: UtteranceSettings,
  events: PipelineEvents,
): UtterancePipeline {
  const phones = reference.words.flatMap(({ variants }, word) => variants[0]!.map((phoneme) => ({ phoneme, word })));
  const lost = new Set<number>();
  const told = new Map<number, string>();
  let toldWords = '[]';
  let audioMs = 0;
  let emittedMs = 0;
  let closed = false;

  const result = (index: number, status: PhonemeResult['status']): PhonemeResult => ({
    index,
    word_index: phones[index]!.word,
    phoneme: phones[index]!.phoneme,
    start_ms: index * phoneMs,
    end_ms: (index + 1) * phoneMs,
    gop: lost.has(index) ? null : -0.1,
    accuracy: lost.has(index) ? null : 90,
    confidence: 1,
    error_type: lost.has(index) ? 'unscored' : 'none',
    status,
    nbest: [],
  });
  const status = (index: number): 'final' | 'provisional' | undefined => {
    if (audioMs >= (index + 1) * phoneMs + finalAfterMs) return 'final';
    return audioMs >= index * phoneMs + 20 ? 'provisional' : undefined;
  };
  const advance = (ms: number): void => {
    audioMs += ms;
    if (audioMs - emittedMs < emitIntervalMs) return;
    emittedMs = audioMs;
    const phonemes = phones.flatMap((_, index) => {
      const now = status(index);
      if (!now || told.get(index) === now) return [];
      told.set(index, now);
      return [result(index, now)];
    });
    const words = reference.words.flatMap(({ text }, wordIndex) => {
      const own = phones.flatMap((phone, index) => (phone.word === wordIndex ? [index] : []));
      if (own.some((index) => status(index) === undefined)) return [];
      const isFinal = own.every((index) => status(index) === 'final');
      return [{ wordIndex, text, startMs: own[0]! * phoneMs, endMs: (own.at(-1)! + 1) * phoneMs, isFinal }];
    });
    const isNews = JSON.stringify(words) !== toldWords;
    toldWords = JSON.stringify(words);
    events.onFeedback?.({
      audioMs,
      phones: writePhones(phonemes, startMs),
      ...(isNews ? { progress: { words, deviations: [] } } : {}),
      timing: { queue: 1, features: 1, asr: 1, scoring: 1 },
    });
  };
  return {
    push: (pcm) => {
      if (!closed) advance(pcm.length / 16);
    },
    gap(ms) {
      for (let at = audioMs; at < audioMs + ms; at += 10) lost.add(Math.floor(at / phoneMs));
      advance(ms);
    },
    async finish() {
      const all = phones.map((_, index) => result(index, 'final'));
      return {
        heard: 'text' as const,
        scores: { accuracy: 90, fluency: 90, completeness: 100, pronunciation: 90 },
        words: reference.words.map(({ text, source }, word) => ({
          text,
          start_ms: 0,
          end_ms: audioMs,
          accuracy: 90,
          error_type: 'none' as const,
          pronunciation: { source, variant: 0 },
          phonemes: all.filter((phone) => phone.word_index === word),
        })),
        deviations: [],
        pace: { words_per_minute: 60, speech_ms: audioMs, pause_ms: 0, longest_pause_ms: 0, pauses: 0 },
        final_lag_ms: { p50: 200, p95: 200, max: 200 },
        timing: { scoring: 1 },
      };
    },
    close() {
      closed = true;
    },
  };
}

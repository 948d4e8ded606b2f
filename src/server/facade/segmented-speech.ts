import type { TranscriptWord } from '../../protocol/server-messages.ts';
import type { EventOf } from './events.ts';

/**
 * One utterance as it is read, for a client that hears of it in segments: which words it has, how
 * far the sound is scored, and where the speaker paused.
 */
export class SegmentedSpeech {
  /** Where the segment begins and how far it is scored, on the session's clock, ms. */
  startMs: number;
  coversMs: number;
  /** The newest words, those of earlier segments among them. */
  #words: readonly TranscriptWord[] = [];
  #stability = 1;
  #told = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
    this.coversMs = startMs;
  }

  reaches(audioMs: number): void {
    this.coversMs = Math.max(this.coversMs, audioMs);
  }

  revise({ words, stability, audio_ms }: EventOf<'transcript'>): void {
    this.#words = words;
    this.#stability = stability;
    this.reaches(audio_ms);
  }

  /** Share of the words that can no longer change. */
  get stability(): number {
    return this.#stability;
  }

  /** The words of the segment. */
  get words(): readonly TranscriptWord[] {
    return this.#words.slice(this.#told);
  }

  /** Whether a place in the reference has been read for good. */
  hasRead(wordIndex: number): boolean {
    return this.#words.some((word) => word.word_index === wordIndex && word.is_final);
  }

  /**
   * Ends the segment at a pause and gives its words; undefined: one before the pause may still
   * change, or there is none.
   */
  endSegment(atMs: number): readonly TranscriptWord[] | undefined {
    const words = this.words.filter((word) => word.end_ms <= atMs + roundingMs);
    if (words.length === 0 || !words.every((word) => word.is_final)) return undefined;
    this.#told += words.length;
    return words;
  }

  /**
   * The words that are told for the first time when the utterance is over, with their confidence.
   */
  rest({ words }: Pick<EventOf<'utterance_final'>, 'words'>): (TranscriptWord & { confidence: number })[] {
    return words
      .map(({ text, start_ms, end_ms, error_type, phonemes }, word_index) => {
        const sum = phonemes.reduce((total, { confidence }) => total + confidence, 0);
        const confidence = phonemes.length === 0 ? 1 : sum / phonemes.length;
        return { word_index, text, start_ms, end_ms, is_final: true, confidence, error_type };
      })
      .filter(({ error_type }) => error_type !== 'omission')
      .slice(this.#told)
      .map(({ error_type: _, ...word }) => word);
  }
}

/** The voice activity counts frames of 10 ms, the model its own. */
const roundingMs = 100;

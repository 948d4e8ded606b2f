import type { EventOf } from './events.ts';
import { isWrittenElsewhere, type WrittenWord, wordsRead, wordsWritten } from './written-words.ts';

/**
 * One utterance as it is read, for a client that hears of it in segments: which words it has, how
 * far the sound is scored, and where the speaker paused.
 */
export class SegmentedSpeech {
  /** Where the segment begins and how far it is scored, on the session's clock, ms. */
  startMs: number;
  coversMs: number;
  /** The newest words, those of earlier segments among them. */
  #words: readonly WrittenWord[] = [];
  #stability = 1;
  #backend: string | undefined;
  #told = 0;

  constructor(startMs: number) {
    this.startMs = startMs;
    this.coversMs = startMs;
  }

  reaches(audioMs: number): void {
    this.coversMs = Math.max(this.coversMs, audioMs);
  }

  revise(transcript: EventOf<'transcript'>): void {
    this.#words = wordsWritten(transcript);
    this.#stability = transcript.stability;
    this.#backend = transcript.backend;
    this.reaches(transcript.audio_ms);
  }

  /** Share of the words that can no longer change. */
  get stability(): number {
    return this.#stability;
  }

  /** What wrote the words, where a routing policy decides it. */
  get backend(): string | undefined {
    return this.#backend;
  }

  /** The words of the segment. */
  get words(): readonly WrittenWord[] {
    return this.#words.slice(this.#told);
  }

  /** Whether a place in the reference has been read for good. */
  hasRead(wordIndex: number): boolean {
    return this.#words.some((word) => word.word_index === wordIndex && word.is_final);
  }

  /**
   * Ends the segment at a pause and gives its words; undefined: one before the pause may still
   * change, or there is none. Words without times count as spoken before it.
   */
  endSegment(atMs: number): readonly WrittenWord[] | undefined {
    const words = this.words.filter(({ end_ms = atMs }) => end_ms <= atMs + roundingMs);
    if (words.length === 0 || !words.every((word) => word.is_final)) return undefined;
    this.#told += words.length;
    return words;
  }

  /**
   * The words that are told for the first time when the utterance is over: with the confidence of
   * their phones, unless another backend wrote them.
   */
  rest(final: Pick<EventOf<'utterance_final'>, 'words' | 'text'>): readonly SureWord[] {
    if (isWrittenElsewhere(final)) return this.words;
    return wordsRead(final)
      .map(({ text, start_ms, end_ms, phonemes }) => {
        const sum = phonemes.reduce((total, { confidence }) => total + confidence, 0);
        const confidence = phonemes.length === 0 ? 1 : sum / phonemes.length;
        return { text, start_ms, end_ms, is_final: true, confidence };
      })
      .slice(this.#told);
  }
}

/** A word, and how sure it is, 0 to 1, where that is known. */
export type SureWord = WrittenWord & { confidence?: number };

/** The voice activity counts frames of 10 ms, the model its own. */
const roundingMs = 100;

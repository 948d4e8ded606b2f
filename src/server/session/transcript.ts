import type { Deviation, UtteranceResult } from '../../protocol/result.ts';
import type { ServerMessage, TranscriptWord } from '../../protocol/server-messages.ts';
import { shiftDeviation } from '../../protocol/shift-result.ts';
import type { StageTimings } from '../../protocol/stages.ts';
import type { Progress } from '../../scoring/utterance-scorer.ts';
import type { WrittenText } from '../hearing/utterance-text.ts';

type TranscriptMessage = Extract<ServerMessage, { type: 'transcript' }>;

/** The words of one utterance as they are confirmed. */
export class Transcript {
  readonly #utteranceId: number;
  readonly #startMs: number;
  #rev: number;

  /**
   * @param startMs the utterance's start on the session's clock
   * @param rev that of the last that was sent, by another gateway
   */
  constructor(utteranceId: number, startMs: number, rev = 0) {
    this.#utteranceId = utteranceId;
    this.#startMs = startMs;
    this.#rev = rev;
  }

  /** The next revision. Times count from the utterance's start. */
  revise({ words, deviations }: Progress, timing: StageTimings): TranscriptMessage {
    const shown = words.map((word) => ({
      word_index: word.wordIndex,
      text: word.text,
      start_ms: word.startMs + this.#startMs,
      end_ms: word.endMs + this.#startMs,
      is_final: word.isFinal,
    }));
    const shifted = deviations.map((deviation) => shiftDeviation(deviation, this.#startMs));
    return this.#message(shown, shifted, false, timing);
  }

  /** The last revision: every word that was read. Times are on the session's clock. */
  final({ words, deviations }: Pick<UtteranceResult, 'words' | 'deviations'>, timing: StageTimings): TranscriptMessage {
    const read = words.flatMap(({ text, start_ms, end_ms, error_type }, word_index) =>
      error_type === 'omission' ? [] : [{ word_index, text, start_ms, end_ms, is_final: true }],
    );
    return this.#message(read, deviations, true, timing);
  }

  /** A revision that a backend wrote. Its words have no places in the text that is read. */
  written({ text, words, stability, backend }: WrittenText, isFinal: boolean, timing: StageTimings): TranscriptMessage {
    return { ...this.#message(words, [], isFinal, timing), text, stability, backend };
  }

  #message(
    words: readonly TranscriptWord[],
    deviations: readonly Deviation[],
    isFinal: boolean,
    timing: StageTimings,
  ): TranscriptMessage {
    this.#rev += 1;
    const settled = words.filter((word) => word.is_final).length;
    return {
      type: 'transcript',
      utterance_id: this.#utteranceId,
      rev: this.#rev,
      text: words.map((word) => word.text).join(' '),
      words,
      is_final: isFinal,
      stability: words.length === 0 ? 1 : settled / words.length,
      deviations,
      timing,
    };
  }
}

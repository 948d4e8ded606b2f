import type { Deviation, UtteranceResult } from '../../protocol/result.ts';
import type { ServerMessage, TranscriptWord } from '../../protocol/server-messages.ts';
import type { StageTimings } from '../../protocol/stages.ts';
import type { Progress } from '../../scoring/utterance-scorer.ts';
import { shiftDeviation } from './shift.ts';

type TranscriptMessage = Extract<ServerMessage, { type: 'transcript' }>;

/** The words of one utterance as they are confirmed. */
export type Transcript = {
  /** The next revision. Times count from the utterance's start. */
  revise(progress: Progress, timing: StageTimings): TranscriptMessage;
  /** The last revision: every word that was read. Times are on the session's clock. */
  final(result: Pick<UtteranceResult, 'words' | 'deviations'>, timing: StageTimings): TranscriptMessage;
};

/** @param startMs the utterance's start on the session's clock. */
export function createTranscript(utteranceId: number, startMs: number): Transcript {
  let rev = 0;
  return {
    revise({ words, deviations }, timing) {
      return message(
        words.map((word) => ({
          word_index: word.wordIndex,
          text: word.text,
          start_ms: word.startMs + startMs,
          end_ms: word.endMs + startMs,
          is_final: word.isFinal,
        })),
        deviations.map((deviation) => shiftDeviation(deviation, startMs)),
        false,
        timing,
      );
    },
    final({ words, deviations }, timing) {
      const read = words.flatMap(({ text, start_ms, end_ms, error_type }, word_index) =>
        error_type === 'omission' ? [] : [{ word_index, text, start_ms, end_ms, is_final: true }],
      );
      return message(read, deviations, true, timing);
    },
  };

  function message(
    words: readonly TranscriptWord[],
    deviations: readonly Deviation[],
    isFinal: boolean,
    timing: StageTimings,
  ): TranscriptMessage {
    rev += 1;
    const settled = words.filter((word) => word.is_final).length;
    return {
      type: 'transcript',
      utterance_id: utteranceId,
      rev,
      text: words.map((word) => word.text).join(' '),
      words,
      is_final: isFinal,
      stability: words.length === 0 ? 1 : settled / words.length,
      deviations,
      timing,
    };
  }
}

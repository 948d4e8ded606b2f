import type { AcousticEngine } from '../acoustic/engine/types.ts';
import type { ReferenceInput } from '../protocol/client-messages.ts';
import { shiftResult } from '../protocol/shift-result.ts';
import type { OpenUtterance } from '../scoring/pipeline.ts';
import type { Reference } from '../scoring/text/reference.ts';
import { type HandedUtterance, UnreadableRecord } from './record.ts';

/** What scores here, as it scores sessions that are live. */
export type HandedScoring = {
  engine(): AcousticEngine;
  readReference(input: ReferenceInput, mostPhones: number): Reference;
  openUtterance: OpenUtterance;
  /**
   * Resolves when more sound may be pushed; what rejects ends the try. Absent: always. With it no
   * more than some seconds of sound are ahead of the model, so that whoever speaks meanwhile never
   * waits behind all of it.
   */
  pace?(): Promise<void>;
};

/**
 * The final of an utterance that was handed over, as its learner would have had it: scores do not
 * depend on how sound was cut. Others go before it.
 *
 * @throws SpeechfbError `invalid_reference`; UnreadableRecord where the model hears another rate
 */
export async function scoreHanded(
  { engine, readReference, openUtterance, pace }: HandedScoring,
  { session, utterance: utteranceId }: { session: string; utterance: number },
  handed: HandedUtterance,
): Promise<object> {
  const { reference: text, startMs, sampleRateHz, reason, marker, sound } = handed;
  const heardHz = engine().model.sampleRateHz;
  if (sampleRateHz !== heardHz) {
    throw new UnreadableRecord(`its sound has ${sampleRateHz} samples a second, and the model here hears ${heardHz}`);
  }
  const reference = readReference(text, mostPhones);
  const settings = { emitIntervalMs, speaker: `${session} ${utteranceId}`, startMs, canWait: true };
  let onError: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (onError = reject));
  failed.catch(() => {});
  const heard = pace && new HeardSound();
  const onFeedback = heard && (({ audioMs }: { audioMs: number }) => heard.upTo(audioMs));
  const events = { onError, ...(onFeedback && { onFeedback }) };
  const utterance = openUtterance(engine(), reference, settings, events);
  try {
    let soundMs = 0;
    for (const part of sound) {
      if ('gapMs' in part) utterance.gap(part.gapMs);
      else utterance.push(part);
      soundMs += 'gapMs' in part ? part.gapMs : (part.length / sampleRateHz) * 1000;
      // The sound of a minute is not pushed in one go: others have to be served between.
      await Promise.race([heard?.reaches(soundMs - mostAheadMs) ?? nextTurn(), failed]);
      await pace?.();
    }
    const { timing, ...result } = shiftResult(await Promise.race([utterance.finish(), failed]), startMs);
    const { name, version } = engine().model;
    const final = { type: 'utterance_final', utterance_id: utteranceId, audio_ms: startMs + soundMs, reason, marker };
    return { ...final, timing, ...result, late: true, model: { name, version } };
  } finally {
    utterance.close();
  }
}

/** How far the model has heard, and who waits for that. */
class HeardSound {
  #heardMs = 0;
  #wantedMs = 0;
  #onReached: () => void = () => {};

  upTo(ms: number): void {
    this.#heardMs = ms;
    if (ms >= this.#wantedMs) this.#onReached();
  }

  async reaches(ms: number): Promise<void> {
    if (this.#heardMs >= ms) return await nextTurn();
    this.#wantedMs = ms;
    await new Promise<void>((resolve) => (this.#onReached = resolve));
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** As finals count their lag when a client does not ask. */
const emitIntervalMs = 100;
/** More than the model looks ahead, and than it gathers before it runs. */
const mostAheadMs = 2000;
/** The gateway has bounded the text when it took it. */
const mostPhones = Number.POSITIVE_INFINITY;

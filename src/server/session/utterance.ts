import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { ServerMessage } from '../../protocol/server-messages.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { Feedback, Progress } from '../../scoring/utterance-scorer.ts';
import { createArrivals } from './arrivals.ts';
import type { Sound } from './intake.ts';
import type { Outbox } from './outbox.ts';
import { shiftPhone, shiftResult } from './shift.ts';
import { createTranscript } from './transcript.ts';

/** One reading of one text within a session: sound in, events out. */
export type Utterance = {
  readonly id: number;
  readonly reference: Reference;
  push(sound: Sound): void;
  gap(ms: number): void;
  /** Everything final; resolves when `utterance_final` is in the outbox. */
  finish(reason: FinalReason, marker: string | null): Promise<void>;
  /** How far the model is, on the session's clock. */
  scoredMs(): number;
  close(): void;
};

export type FinalReason = Extract<ServerMessage, { type: 'utterance_final' }>['reason'];
export type Granularity = 'phoneme' | 'word' | 'utterance';

export type UtteranceOptions = {
  id: number;
  /** Where it begins on the session's clock. */
  startMs: number;
  reference: Reference;
  emitIntervalMs: number;
  engine: AcousticEngine;
  open: OpenUtterance;
  outbox: Outbox;
  granularity(): Granularity;
  now(): number;
  onError(error: Error): void;
};

export function createUtterance(options: UtteranceOptions): Utterance {
  const { id, startMs, reference, outbox } = options;
  const arrivals = createArrivals();
  const transcript = createTranscript(id, startMs);
  let heardMs = startMs;
  let scoredMs = startMs;
  let feedbackRev = 0;
  /** Progress that the client has not been told: it may not have wanted words until now. */
  let untold: Progress | undefined;
  // The model's last hop reaches into the sound behind it: the frame that brought that is the one that was waited for.
  const { windowMs, hopMs } = options.engine.model.features;
  const overhangMs = windowMs - hopMs;
  const settings = { emitIntervalMs: options.emitIntervalMs };
  const pipeline = options.open(options.engine, reference, settings, { onFeedback, onError: options.onError });

  return {
    id,
    reference,
    push({ pcm, endMs, arrivedMs }) {
      heardMs = endMs;
      arrivals.add({ endMs, arrivedMs, releasedMs: options.now() });
      pipeline.push(pcm);
    },
    gap(ms) {
      heardMs += ms;
      pipeline.gap(ms);
    },
    async finish(reason, marker) {
      const { timing, ...result } = shiftResult(await pipeline.finish(), startMs);
      scoredMs = heardMs;
      if (options.granularity() !== 'utterance') outbox.send(transcript.final(result, timing), scoredMs);
      outbox.send({ type: 'utterance_final', utterance_id: id, reason, marker, timing, ...result }, scoredMs);
    },
    scoredMs: () => scoredMs,
    close: () => pipeline.close(),
  };

  function onFeedback(feedback: Feedback): void {
    const producedMs = options.now() - (feedback.ageMs ?? 0);
    // At the end the model hears silence beyond the sound, for its look-ahead.
    scoredMs = Math.max(scoredMs, Math.min(heardMs, startMs + feedback.audioMs));
    untold = feedback.progress ?? untold;
    const granularity = options.granularity();
    if (granularity === 'utterance') return;
    const arrival = arrivals.of(Math.min(heardMs, scoredMs + overhangMs));
    const timing = { ingress: arrival ? arrival.releasedMs - arrival.arrivedMs : 0, ...feedback.timing };
    const stamp = { audioMs: scoredMs, producedMs, arrivedMs: arrival?.arrivedMs ?? producedMs };
    if (granularity === 'phoneme') {
      feedbackRev += 1;
      const phonemes = feedback.phonemes.map((phone) => shiftPhone(phone, startMs));
      const message = { type: 'phoneme_feedback', utterance_id: id, rev: feedbackRev, phonemes, timing } as const;
      outbox.sendPartial({ message, ...stamp });
    }
    if (untold) outbox.sendPartial({ message: transcript.revise(untold, timing), ...stamp });
    untold = undefined;
  }
}

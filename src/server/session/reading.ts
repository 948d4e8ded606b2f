import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { AudioFrame } from '../../protocol/frame.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Reference } from '../../scoring/text/reference.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { createIntake, type Intake } from './intake.ts';
import type { AddOutcome, Checkpoint } from './jitter-buffer.ts';
import type { Outbox } from './outbox.ts';
import type { SpeechWatch } from './speech-watch.ts';
import { createUtterance, type FinalReason, type Granularity, type Utterance } from './utterance.ts';

/** What a session reads: its audio, and the utterances that it goes to, one after the other. */
export type Reading = {
  /** What became of the frame; undefined when it was refused. */
  frame(frame: AudioFrame): AddOutcome | undefined;
  /** Ends the utterance and begins the next. */
  next(reference: Reference): void;
  /** Ends the utterance, if one is open; what is heard until `next` is acknowledged and not scored. */
  finish(reason: FinalReason, marker: string | null): void;
  /** Resolves when every ended utterance has sent its final. */
  settled(): Promise<void>;
  /** Lets go of gaps whose wait is over; refuses when the model makes no progress. */
  tick(): void;
  restartWaits(): void;
  checkpoint(): Checkpoint;
  current(): { id: number; reference: Reference };
  positionMs(): number;
  /** Read and not yet scored. */
  bufferedMs(): number;
  close(): void;
};

export type ReadingOptions = {
  engine: AcousticEngine;
  open: OpenUtterance;
  intake: Omit<Parameters<typeof createIntake>[0], 'onSound' | 'onGap' | 'limits' | 'modelRateHz'>;
  reference: Reference;
  limits: Limits;
  outbox: Outbox;
  speech: SpeechWatch;
  settings(): { emitIntervalMs: number; granularity: Granularity };
  now(): number;
  onGap(ms: number, frames: number): void;
  /** The session must end for this. */
  refuse(refusal: Refusal): void;
  onError(error: Error): void;
};

export function createReading(options: ReadingOptions): Reading {
  const { engine, limits, outbox, speech, now } = options;
  const intake: Intake = createIntake({
    ...options.intake,
    limits,
    modelRateHz: engine.model.sampleRateHz,
    onSound(sound) {
      speech.push(sound.pcm);
      utterance?.push(sound);
    },
    onGap(ms, frames) {
      speech.gap(ms);
      utterance?.gap(ms);
      options.onGap(ms, frames);
    },
  });
  let utterance: Utterance | undefined = open(1, options.reference);
  let last: Utterance = utterance;
  const finishing = new Set<{ utterance: Utterance; sinceMs: number; done: Promise<void> }>();
  let progress = { scoredMs: 0, atMs: now() };

  return {
    frame(frame) {
      const outcome = intake.add(frame, now());
      const refusal = typeof outcome === 'object' ? outcome : backlog();
      if (refusal) options.refuse(refusal);
      return typeof outcome === 'object' ? undefined : outcome;
    },
    next(reference) {
      finish('next_utterance', null);
      utterance = open(last.id + 1, reference);
      last = utterance;
    },
    finish,
    async settled() {
      while (finishing.size > 0) await Promise.all([...finishing].map(({ done }) => done));
    },
    tick() {
      const refusal = intake.release(now(), false) ?? stalled();
      if (refusal) options.refuse(refusal);
    },
    restartWaits: () => intake.restartWaits(now()),
    checkpoint: intake.checkpoint,
    current: () => last,
    positionMs: intake.positionMs,
    bufferedMs,
    close() {
      utterance?.close();
      for (const ended of finishing) ended.utterance.close();
      utterance = undefined;
    },
  };

  function open(id: number, reference: Reference): Utterance {
    return createUtterance({
      id,
      startMs: intake.positionMs(),
      reference,
      emitIntervalMs: options.settings().emitIntervalMs,
      engine,
      open: options.open,
      outbox,
      granularity: () => options.settings().granularity,
      now,
      onError: options.onError,
    });
  }

  function finish(reason: FinalReason, marker: string | null): void {
    const refusal = intake.release(now(), true);
    if (refusal) options.refuse(refusal);
    const ended = utterance;
    utterance = undefined;
    if (!ended) return;
    const entry = { utterance: ended, sinceMs: now(), done: Promise.resolve() };
    entry.done = ended
      .finish(reason, marker)
      .catch(options.onError)
      .finally(() => finishing.delete(entry));
    finishing.add(entry);
  }

  function bufferedMs(): number {
    return utterance ? Math.max(0, intake.positionMs() - utterance.scoredMs()) : 0;
  }

  /** After an outage as long as the resume window a client may bring that much at once, and no more. */
  function backlog(): Refusal | undefined {
    const allowedMs = limits.maxBufferedMs + limits.resumeTtlMs;
    if (bufferedMs() <= allowedMs) return undefined;
    const message = `${Math.round(bufferedMs())} ms of audio wait for the model; at most ${allowedMs} may`;
    return { code: 'too_fast', message, retryAfterMs: Math.round(bufferedMs() - allowedMs) };
  }

  function stalled(): Refusal | undefined {
    const nowMs = now();
    const scoredMs = utterance?.scoredMs() ?? 0;
    const waiting = bufferedMs() > options.settings().emitIntervalMs + settledBacklogMs;
    if (!waiting || scoredMs !== progress.scoredMs) progress = { scoredMs, atMs: nowMs };
    const sinceMs = Math.min(progress.atMs, ...[...finishing].map((ended) => ended.sinceMs));
    if (nowMs - sinceMs <= limits.inferenceTimeoutMs) return undefined;
    const message = `the model made no progress for ${limits.inferenceTimeoutMs} ms`;
    return { code: 'inference_timeout', message, retryAfterMs: limits.busyRetryMs };
  }
}

/** Audio that may wait between two results without the model being late: look-ahead, chunk and batching. */
const settledBacklogMs = 500;

import { fromF32le, fromS16le } from '../audio/pcm.ts';
import { createResampler, type Resampler } from '../audio/resampler.ts';
import { type AudioFrame, bytesPerSample, type Codec } from '../protocol/frame.ts';
import type { Refusal } from './admission.ts';
import { type AddOutcome, type Checkpoint, createJitterBuffer, type Released } from './jitter-buffer.ts';
import type { Limits } from './limits.ts';

/** A session's audio on its way in: frames in any order become sound at the model's rate, on one clock. */
export type Intake = {
  /** What became of the frame, or why the session must end. */
  add(frame: AudioFrame, nowMs: number): AddOutcome | Refusal;
  /** Lets go of what has waited long enough; `all`: of everything, because nothing more comes. */
  release(nowMs: number, all: boolean): Refusal | undefined;
  restartWaits(nowMs: number): void;
  checkpoint(): Checkpoint;
  /** The session's clock: samples read in order, gaps included, over all epochs, ms. */
  positionMs(): number;
};

export type IntakeOptions = {
  codec: Codec;
  sampleRateHz: number;
  modelRateHz: number;
  limits: Limits;
  onSound(sound: Sound): void;
  /** `ms` of the client's clock passed without sound; `frames` were numbered and never came. */
  onGap(ms: number, frames: number): void;
};

export type Sound = {
  /** At the model's rate, in [-1, 1). */
  pcm: Float32Array;
  /** The session's clock at the end of the client's frame. */
  endMs: number;
  arrivedMs: number;
};

export function createIntake(options: IntakeOptions): Intake {
  const { codec, sampleRateHz, limits } = options;
  const toSamples = codec === 'pcm_s16le' ? fromS16le : fromF32le;
  const resampler: Resampler = createResampler(sampleRateHz, options.modelRateHz);
  const samplesIn = (frame: AudioFrame): number => frame.payload.length / bytesPerSample[codec];
  const buffer = createJitterBuffer({
    minWaitMs: limits.minGapWaitMs,
    maxWaitMs: limits.maxGapWaitMs,
    windowFrames: Math.ceil(limits.maxBufferedMs / shortestFrameMs),
    samplesIn,
  });
  let epochStartMs = 0;
  let positionMs = 0;
  let firstFrameMs: number | undefined;

  return {
    add(frame, nowMs) {
      if (frame.codec !== codec) {
        const message = `the frame holds ${frame.codec}; the session was started with ${codec}`;
        return { code: 'unsupported_audio', message };
      }
      firstFrameMs ??= nowMs;
      // A view of the socket's buffer: what is held back must outlive it.
      const outcome = buffer.add({ ...frame, payload: Uint8Array.from(frame.payload) }, nowMs);
      if (outcome === 'far') return farAhead(frame, buffer.checkpoint());
      return passOn(buffer.release(nowMs), nowMs) ?? outcome;
    },
    release: (nowMs, all) => passOn(all ? buffer.flush(nowMs) : buffer.release(nowMs), nowMs),
    restartWaits: buffer.restartWaits,
    checkpoint: buffer.checkpoint,
    positionMs: () => positionMs,
  };

  function passOn(items: readonly Released[], nowMs: number): Refusal | undefined {
    for (const item of items) {
      const refusal = passOnOne(item, nowMs);
      if (refusal) return refusal;
    }
    return undefined;
  }

  function passOnOne(item: Released, nowMs: number): Refusal | undefined {
    switch (item.kind) {
      case 'epoch':
        epochStartMs = positionMs;
        return undefined;
      case 'rewind':
        return rewound(item.frame, item.expectedSample);
      case 'gap': {
        const ms = (item.samples / sampleRateHz) * 1000;
        const refusal = advance(positionMs + ms, nowMs);
        if (!refusal) options.onGap(ms, item.frames);
        return refusal;
      }
      case 'audio': {
        const { frame, arrivedMs } = item;
        const endMs = epochStartMs + ((frame.firstSample + samplesIn(frame)) / sampleRateHz) * 1000;
        const refusal = advance(endMs, nowMs);
        if (!refusal) options.onSound({ pcm: resampler.push(toSamples(frame.payload)), endMs, arrivedMs });
        return refusal;
      }
    }
  }

  /** Moves the clock on, unless that is faster than anyone can speak. */
  function advance(toMs: number, nowMs: number): Refusal | undefined {
    const aheadMs = toMs - (nowMs - (firstFrameMs ?? nowMs));
    if (aheadMs > limits.maxBufferedMs) {
      const message = `the audio runs ${Math.round(aheadMs)} ms ahead of real time; max_buffered_ms is ${limits.maxBufferedMs}`;
      return { code: 'too_fast', message, retryAfterMs: Math.round(aheadMs - limits.maxBufferedMs) };
    }
    positionMs = toMs;
    return undefined;
  }
}

/** A client may cut its sound as finely as this; the window of frames is counted in them. */
const shortestFrameMs = 5;

function farAhead(frame: AudioFrame, { nextSeq }: Checkpoint): Refusal {
  return { code: 'invalid_frame', message: `seq ${frame.seq} is too far ahead of ${nextSeq}, the next one expected` };
}

function rewound(frame: AudioFrame, expectedSample: number): Refusal {
  const message = `first_sample ${frame.firstSample} of seq ${frame.seq} lies before ${expectedSample}, where the frame ahead of it ended`;
  return { code: 'invalid_frame', message };
}

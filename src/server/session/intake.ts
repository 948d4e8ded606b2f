import { fromF32le, fromS16le } from '../../audio/pcm.ts';
import { createResampler, type Resampler } from '../../audio/resampler.ts';
import { type AudioFrame, bytesPerSample, type Codec } from '../../protocol/frame.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { type AddOutcome, type Checkpoint, createJitterBuffer, type Released } from './jitter-buffer.ts';

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
  /** At the model's rate, in [-1, 1); the next sound overwrites them. */
  pcm: Float32Array;
  /** The session's clock at the end of the client's frame. */
  endMs: number;
  arrivedMs: number;
};

export function createIntake(options: IntakeOptions): Intake {
  const { codec, sampleRateHz, limits } = options;
  const decode = codec === 'pcm_s16le' ? fromS16le : fromF32le;
  // Frames are of one length but for the last: their samples go through the same memory, one frame after the other.
  let samples = new Float32Array(0);
  const resampler: Resampler = createResampler(sampleRateHz, options.modelRateHz);
  const samplesIn = (frame: AudioFrame): number => frame.payload.length / bytesPerSample[codec];
  const buffer = createJitterBuffer({
    minWaitMs: limits.minGapWaitMs,
    maxWaitMs: limits.maxGapWaitMs,
    windowFrames: Math.ceil(limits.maxBufferedMs / shortestFrameMs),
    samplesIn,
    // The payload is a view of the socket's buffer, which would be kept whole.
    keep: (frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }),
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
      const outcome = buffer.add(frame, nowMs);
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
        if (!refusal) options.onSound({ pcm: resampler.push(toSamples(frame)), endMs, arrivedMs });
        return refusal;
      }
    }
  }

  function toSamples(frame: AudioFrame): Float32Array {
    if (samples.length !== samplesIn(frame)) samples = new Float32Array(samplesIn(frame));
    return decode(frame.payload, samples);
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

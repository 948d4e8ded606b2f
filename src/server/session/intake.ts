import type { Samples } from '../../acoustic/engine/types.ts';
import { fromF32le, fromS16le, readS16le } from '../../audio/pcm.ts';
import { createResampler } from '../../audio/resampler.ts';
import { type AudioFrame, bytesPerSample, type Codec } from '../../protocol/frame.ts';
import type { SoundPlace } from '../../stores/checkpoint.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { AudioClock } from './audio-clock.ts';
import { type AddOutcome, type Checkpoint, JitterBuffer, type Released } from './jitter-buffer.ts';

/**
 * A session's audio on its way in: frames in any order become sound at the model's rate, on one
 * clock.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #toSound: (payload: Uint8Array) => Samples;
  readonly #buffer: JitterBuffer;
  #epochStartMs = 0;
  #firstFrameMs: number | undefined;

  constructor(options: IntakeOptions) {
    const { limits } = options;
    this.#options = options;
    this.#toSound = soundReader(options);
    if (options.from) {
      this.#epochStartMs = options.from.epochStartMs;
      this.#firstFrameMs = options.firstFrameMs;
      options.clock.advanceTo(options.from.clockMs);
    }
    this.#buffer = new JitterBuffer({
      from: options.from,
      minWaitMs: limits.minGapWaitMs,
      maxWaitMs: limits.maxGapWaitMs,
      windowFrames: Math.ceil(limits.maxBufferedMs / shortestFrameMs),
      samplesIn: (frame) => this.#samplesIn(frame),
      // The payload is a view of the socket's buffer, which would be kept whole.
      keep: (frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }),
    });
  }

  /** What became of the frame, or why the session must end. */
  add(frame: AudioFrame, nowMs: number): AddOutcome | Refusal {
    const { codec } = this.#options;
    if (frame.codec !== codec) {
      const message = `the frame holds ${frame.codec}; the session was started with ${codec}`;
      return { code: 'unsupported_audio', message };
    }
    this.#firstFrameMs ??= nowMs;
    if (this.#buffer.passes(frame, nowMs)) return this.#hear(frame, nowMs, nowMs) ?? 'accepted';
    const outcome = this.#buffer.add(frame, nowMs);
    if (outcome === 'far') return farAhead(frame, this.#buffer.checkpoint());
    const { maxHeldBytes } = this.#options.limits;
    if (this.#buffer.heldBytes > maxHeldBytes) return heldTooMuch(this.#buffer, maxHeldBytes);
    return this.#passOn(this.#buffer.release(nowMs), nowMs) ?? outcome;
  }

  /** Whether frames wait for one before them. */
  get waits(): boolean {
    return this.#buffer.waits;
  }

  /** Passes on what has waited long enough, and gaps whose wait is over. */
  release(nowMs: number): Refusal | undefined {
    return this.#passOn(this.#buffer.release(nowMs), nowMs);
  }

  /** Passes on everything: nothing more comes. */
  flush(nowMs: number): Refusal | undefined {
    return this.#passOn(this.#buffer.flush(nowMs), nowMs);
  }

  /** The same, and what never came up to the client's last frame is a gap. */
  giveUpTo(lastSeq: number, nowMs: number): Refusal | undefined {
    const released = this.#buffer.giveUpTo(lastSeq, nowMs);
    if (released !== 'far') return this.#passOn(released, nowMs);
    return endsFarAhead(lastSeq, this.#buffer.checkpoint());
  }

  restartWaits(nowMs: number): void {
    this.#buffer.restartWaits(nowMs);
  }

  checkpoint(): Checkpoint {
    return this.#buffer.checkpoint();
  }

  /** Where what was read has ended. */
  place(): SoundPlace {
    return { ...this.#buffer.place(), epochStartMs: this.#epochStartMs, clockMs: this.#options.clock.ms };
  }

  /** When the first frame came; undefined: none has. */
  get firstFrameMs(): number | undefined {
    return this.#firstFrameMs;
  }

  #passOn(items: readonly Released[], nowMs: number): Refusal | undefined {
    for (const item of items) {
      const refusal = this.#passOnOne(item, nowMs);
      if (refusal) return refusal;
    }
    return undefined;
  }

  #passOnOne(item: Released, nowMs: number): Refusal | undefined {
    const { sampleRateHz, clock } = this.#options;
    switch (item.kind) {
      case 'epoch':
        this.#epochStartMs = clock.ms;
        return undefined;
      case 'rewind':
        return rewound(item.frame, item.expectedSample);
      case 'gap': {
        const ms = (item.samples / sampleRateHz) * 1000;
        const refusal = this.#advance(clock.ms + ms, nowMs) ?? this.#tooLong(ms);
        if (!refusal) this.#options.onGap(ms, item.frames);
        return refusal;
      }
      case 'audio':
        return this.#hear(item.frame, item.arrivedMs, nowMs);
    }
  }

  #hear(frame: AudioFrame, arrivedMs: number, releasedMs: number): Refusal | undefined {
    const { sampleRateHz } = this.#options;
    const endMs = this.#epochStartMs + ((frame.firstSample + this.#samplesIn(frame)) / sampleRateHz) * 1000;
    const refusal = this.#advance(endMs, releasedMs);
    if (!refusal) this.#options.onSound({ pcm: this.#toSound(frame.payload), endMs, arrivedMs, releasedMs });
    return refusal;
  }

  #samplesIn(frame: AudioFrame): number {
    return frame.payload.length / bytesPerSample[this.#options.codec];
  }

  /** A gap is heard as silence: the model would not catch up with more of it than with sound. */
  #tooLong(gapMs: number): Refusal | undefined {
    const { maxBufferedMs, resumeTtlMs } = this.#options.limits;
    const mostMs = maxBufferedMs + resumeTtlMs;
    if (gapMs <= mostMs) return undefined;
    const message = `a gap of ${Math.round(gapMs)} ms; at most ${mostMs} (max_buffered_ms and resume_ttl_ms) may be lost at once`;
    return { code: 'too_fast', message, limit: 'maxBufferedMs' };
  }

  /** Moves the clock on, unless that is faster than anyone can speak. */
  #advance(toMs: number, nowMs: number): Refusal | undefined {
    const { limits, clock, latenessMs } = this.#options;
    const elapsedMs = nowMs - (this.#firstFrameMs ?? nowMs);
    let aheadMs = toMs - elapsedMs;
    // What the server read late came together: its own lateness is nothing that a learner did.
    if (aheadMs > limits.maxBufferedMs) aheadMs -= Math.min(latenessMs(nowMs), limits.maxBufferedMs);
    if (aheadMs > limits.maxBufferedMs) {
      const message = `the audio runs ${Math.round(aheadMs)} ms ahead of real time; max_buffered_ms is ${limits.maxBufferedMs}`;
      return {
        code: 'too_fast',
        message,
        retryAfterMs: Math.round(aheadMs - limits.maxBufferedMs),
        limit: 'maxBufferedMs',
      };
    }
    clock.advanceTo(toMs);
    return undefined;
  }
}

export type IntakeOptions = {
  codec: Codec;
  sampleRateHz: number;
  modelRateHz: number;
  limits: Limits;
  /** How late the server itself has read of late, ms. */
  latenessMs(nowMs: number): number;
  /** The session's clock, moved on by what is read. */
  clock: AudioClock;
  /** Where it goes on with the sound of a session of another gateway. */
  from?: SoundPlace | undefined;
  /** When the first frame came there, on our clock. */
  firstFrameMs?: number | undefined;
  onSound(sound: Sound): void;
  /** `ms` of the client's clock passed without sound; `frames` were numbered and never came. */
  onGap(ms: number, frames: number): void;
};

export type Sound = {
  /** The next sound overwrites them, whichever session it is of. */
  pcm: Samples;
  /** The session's clock at the end of the client's frame. */
  endMs: number;
  arrivedMs: number;
  /** When it was passed on. */
  releasedMs: number;
};

/**
 * Reads payloads, one frame after the other, to samples at the model's rate: 16-bit sound at that
 * rate as the whole numbers that it is. All frames but the last are of one length: their samples
 * go through the same memory.
 */
function soundReader({ codec, sampleRateHz, modelRateHz }: IntakeOptions): (payload: Uint8Array) => Samples {
  if (codec === 'pcm_s16le' && sampleRateHz === modelRateHz) return readS16le;
  const decode = codec === 'pcm_s16le' ? fromS16le : fromF32le;
  const resampler = createResampler(sampleRateHz, modelRateHz);
  let samples = new Float32Array(0);
  return (payload) => {
    const length = payload.length / bytesPerSample[codec];
    if (samples.length !== length) samples = new Float32Array(length);
    return resampler.push(decode(payload, samples));
  };
}

/** A client may cut its sound as finely as this; the window of frames is counted in them. */
const shortestFrameMs = 5;

function farAhead(frame: AudioFrame, { nextSeq }: Checkpoint): Refusal {
  return { code: 'invalid_frame', message: `seq ${frame.seq} is too far ahead of ${nextSeq}, the next one expected` };
}

function endsFarAhead(lastSeq: number, { nextSeq }: Checkpoint): Refusal {
  const message = `last_seq ${lastSeq} is too far ahead of ${nextSeq}, the next seq expected`;
  return { code: 'invalid_message', message };
}

function heldTooMuch(buffer: JitterBuffer, maxHeldBytes: number): Refusal {
  const { nextSeq } = buffer.checkpoint();
  const message = `${buffer.heldBytes} bytes of audio wait for seq ${nextSeq}; max_held_bytes is ${maxHeldBytes}`;
  return { code: 'too_fast', message, limit: 'maxHeldBytes' };
}

function rewound(frame: AudioFrame, expectedSample: number): Refusal {
  const message = `first_sample ${frame.firstSample} of seq ${frame.seq} lies before ${expectedSample}, where the frame ahead of it ended`;
  return { code: 'invalid_frame', message };
}

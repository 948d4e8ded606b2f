import { toS16le } from '../../audio/pcm.ts';
import { createResampler, type Resampler } from '../../audio/resampler.ts';

/**
 * The sound of a session as one stream of 16-bit samples at the rate that a backend wants, and the
 * way back from a place in it to the session's clock, where sound may be missing.
 */
export class SessionSound {
  readonly #fromHz: number;
  readonly #toHz: number;
  #resampler: Resampler;
  /** Where stretches without a gap begin: in the stream, and on the session's clock, ms. */
  #stretches: { streamMs: number; sessionMs: number }[] = [];
  #heardMs = 0;
  #nextMs: number | undefined;

  constructor(fromHz: number, toHz: number) {
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    this.#resampler = createResampler(fromHz, toHz);
  }

  /** What can be given out of it by now: pcm_s16le, possibly none. */
  push(pcm: Int16Array | Float32Array, startMs: number): Uint8Array {
    const ms = (pcm.length / this.#fromHz) * 1000;
    if (this.#nextMs === undefined || Math.abs(startMs - this.#nextMs) > slackMs) {
      this.#stretches.push({ streamMs: this.#heardMs, sessionMs: startMs });
      if (this.#stretches.length > mostStretches) this.#stretches.shift();
      this.#nextMs = startMs;
    }
    this.#nextMs += ms;
    this.#heardMs += ms;
    if (pcm instanceof Int16Array && this.#fromHz === this.#toHz) return bytesOf(pcm);
    return toS16le(this.#resampler.push(pcm instanceof Int16Array ? toFloats(pcm) : pcm));
  }

  /** The rest of an utterance: what follows it has nothing of it in its samples. */
  flush(): Uint8Array {
    const rest = toS16le(this.#resampler.flush());
    this.#resampler = createResampler(this.#fromHz, this.#toHz);
    return rest;
  }

  /** Silence of so many ms stands in the stream and not in the session. */
  padded(ms: number): void {
    this.#heardMs += ms;
    this.#nextMs = undefined;
  }

  /** Where a place of the stream lies on the session's clock, ms. */
  sessionMs(streamMs: number): number {
    const at = this.#stretches.findLastIndex((stretch) => stretch.streamMs <= streamMs + slackMs);
    const stretch = this.#stretches[Math.max(0, at)];
    if (!stretch) return streamMs;
    const next = this.#stretches[at + 1];
    const ms = stretch.sessionMs + Math.max(0, streamMs - stretch.streamMs);
    return next ? Math.min(ms, next.sessionMs) : ms;
  }
}

/** Times of frames are rounded; less is no gap. */
const slackMs = 1;
/** What backends still speak of lies behind fewer gaps. */
const mostStretches = 256;

function bytesOf(pcm: Int16Array): Uint8Array {
  const bytes = Uint8Array.from(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  if (isBigEndian) Buffer.from(bytes.buffer).swap16();
  return bytes;
}

const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

function toFloats(pcm: Int16Array): Float32Array {
  return Float32Array.from(pcm, (sample) => sample / 32_768);
}

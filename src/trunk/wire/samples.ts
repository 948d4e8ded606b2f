import { fullScale, type Samples } from '../../acoustic/engine/types.ts';

/** Sound travels and is kept in two bytes a sample where those lose nothing, else in four. */
export type SampleFormat = 's16le' | 'f32le';

/** Sound that lies from `from` to `end` of `bytes`. */
export type SoundBytes = { format: SampleFormat; bytes: Uint8Array; from: number; end: number };

export const sampleBytes: Record<SampleFormat, number> = { s16le: 2, f32le: 4 };

/**
 * Writes two bytes a sample, if they then read as the same numbers again, bit by bit, as for
 * sound that was 16-bit when it came and was not resampled.
 *
 * @param offset Bytes, an even number.
 * @param pcm In [-1, 1).
 * @returns Whether it does; if not, what was written is not to be read.
 */
export function packNarrow(bytes: Uint8Array, offset: number, pcm: Float32Array): boolean {
  const narrow = new Int16Array(bytes.buffer, bytes.byteOffset + offset, pcm.length);
  for (let at = 0; at < pcm.length; at += 1) {
    const scaled = pcm[at]! * fullScale;
    const whole = Math.trunc(scaled);
    // Not-a-number is unequal to itself.
    if (whole !== scaled || whole < -fullScale || whole >= fullScale) return false;
    narrow[at] = whole;
  }
  if (isBigEndian) swap(bytes.subarray(offset, offset + 2 * pcm.length), 's16le');
  return true;
}

/** Writes four bytes a sample. @param offset Bytes, a multiple of four. */
export function packWide(bytes: Uint8Array, offset: number, pcm: Float32Array): void {
  new Float32Array(bytes.buffer, bytes.byteOffset + offset, pcm.length).set(pcm);
  if (isBigEndian) swap(bytes.subarray(offset, offset + 4 * pcm.length), 'f32le');
}

/** Writes whole numbers of 16 bits as they are. @param offset Bytes, an even number. */
export function packWhole(bytes: Uint8Array, offset: number, pcm: Int16Array): void {
  new Int16Array(bytes.buffer, bytes.byteOffset + offset, pcm.length).set(pcm);
  if (isBigEndian) swap(bytes.subarray(offset, offset + 2 * pcm.length), 's16le');
}

/**
 * The sound in one message after another as numbers. Bytes of a message begin anywhere, numbers
 * only at their multiples: each sound is moved within memory that is there already, since views of
 * it that are made a frame cost as much as all else that is done with it.
 */
export class MessageSounds {
  /** A place for one sound, and behind it the message. */
  #memory = new Uint8Array(usualBytes);
  #narrow = new Map<number, Int16Array>();
  #wide = new Map<number, Float32Array>();

  /** Takes a copy of the message. */
  open(message: Uint8Array): void {
    const needed = placeBytes + message.length;
    if (needed > this.#memory.length || this.#memory.length > mostKeptBytes) this.#grow(Math.max(needed, usualBytes));
    this.#memory.set(message, placeBytes);
  }

  /**
   * The sound from `from` to `end` of the message, bytes; it may be read until the next is asked
   * for. A part of a sample at its end is left out.
   */
  samples(format: SampleFormat, from: number, end: number): Samples {
    const length = Math.floor((end - from) / sampleBytes[format]);
    const size = length * sampleBytes[format];
    const at = placeBytes + from;
    // A gateway sends half a second at once at most; whoever sends more may be slow.
    if (size > placeBytes) return samplesOf(this.#memory.subarray(at, at + size), format);
    this.#memory.copyWithin(0, at, at + size);
    if (isBigEndian) swap(this.#memory.subarray(0, size), format);
    return format === 'f32le'
      ? this.#view(this.#wide, Float32Array, length)
      : this.#view(this.#narrow, Int16Array, length);
  }

  #view<View>(
    views: Map<number, View>,
    Numbers: new (memory: ArrayBuffer, from: number, length: number) => View,
    length: number,
  ): View {
    let view = views.get(length);
    if (view) return view;
    if (views.size === mostViews) views.clear();
    view = new Numbers(this.#memory.buffer, 0, length);
    views.set(length, view);
    return view;
  }

  #grow(bytes: number): void {
    this.#memory = new Uint8Array(bytes);
    this.#narrow.clear();
    this.#wide.clear();
  }
}

/** The sound in these bytes, copied. A part of a sample at their end is left out. */
export function samplesOf(bytes: Uint8Array, format: SampleFormat): Samples {
  const length = Math.floor(bytes.length / sampleBytes[format]);
  // A `Buffer` cuts out views.
  const own = new Uint8Array(length * sampleBytes[format]);
  own.set(bytes.subarray(0, own.length));
  if (isBigEndian) swap(own, format);
  return format === 'f32le' ? new Float32Array(own.buffer) : new Int16Array(own.buffer);
}

function swap(bytes: Uint8Array, format: SampleFormat): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 's16le') buffer.swap16();
  else buffer.swap32();
}

/** A piece of a replay has a quarter of it. */
const placeBytes = 64 * 1024;
/** Messages of gateways of speechfb fit. */
const usualBytes = placeBytes + 512 * 1024;
/** What one long message needed is not kept for ever. */
const mostKeptBytes = 1024 * 1024;
/** Frames of a trunk have few lengths. */
const mostViews = 256;
const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

import { NoiseFloor } from './noise-floor.ts';

/** `atMs`: where in the audio the speech began or ended, not when that was found out. */
export type VadEvent = { type: 'began' | 'ended'; atMs: number };

export type VadOptions = {
  sampleRateHz: number;
  /** Silence after which speech has ended; default 300. */
  hangoverMs?: number;
};

/**
 * Voice activity from the energy of 10 ms frames, first differences taken (hum and offset do not
 * count), against an adaptive noise floor. Speech begins with 3 loud frames of 5 and ends after
 * `hangoverMs` without one. It finds sound that stands out, which a door is too; the model's
 * silence decides what is scored.
 */
export class Vad {
  readonly #hangoverMs: number;
  readonly #frameSamples: number;
  readonly #floor = new NoiseFloor();
  readonly #start: number[] = [];
  /** Which of the newest frames are loud, a bit a frame, the newest the lowest; and how many. */
  #loud = 0;
  #recent = 0;
  #previous = 0;
  /** Sums over the frame that goes on: its first and every second sample, and the others. */
  #even = 0;
  #odd = 0;
  #filled = 0;
  #frames = 0;
  #lastLoud = 0;
  #speaking = false;

  constructor({ sampleRateHz, hangoverMs = 300 }: VadOptions) {
    this.#hangoverMs = hangoverMs;
    this.#frameSamples = Math.round((sampleRateHz * frameMs) / 1000);
  }

  /**
   * Events found in these samples, in order; any chunking gives the same. In [-1, 1), or whole
   * numbers of 16 bits that are 32,768 times as much.
   */
  push(pcm: Float32Array | Int16Array): readonly VadEvent[] {
    let events = noEvents;
    for (let at = 0; at < pcm.length; ) {
      const end = Math.min(pcm.length, at + this.#frameSamples - this.#filled);
      this.#add(pcm, at, end);
      at = end;
      if (this.#filled < this.#frameSamples) break;
      const event = this.#frame(10 * Math.log10((this.#even + this.#odd) / this.#frameSamples + 1e-10));
      if (event) events = [...events, event];
      this.#filled = this.#even = this.#odd = 0;
    }
    return events;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  /**
   * Adds samples of one frame to its sums: two of them, since an addition waits for the one before.
   */
  #add(pcm: Float32Array | Int16Array, start: number, end: number): void {
    const scale = pcm instanceof Int16Array ? 1 / 32_768 : 1;
    // Locals within the loop: a field would be read and written again for each sample.
    let last = this.#previous;
    let even = this.#even;
    let odd = this.#odd;
    let at = start;
    if (this.#filled % 2 === 1) {
      const sample = pcm[at++]! * scale;
      const difference = sample - preEmphasis * last;
      odd += difference * difference;
      last = sample;
    }
    for (; at + 1 < end; at += 2) {
      const first = pcm[at]! * scale;
      const second = pcm[at + 1]! * scale;
      const before = first - preEmphasis * last;
      const behind = second - preEmphasis * first;
      even += before * before;
      odd += behind * behind;
      last = second;
    }
    if (at < end) {
      const sample = pcm[at]! * scale;
      const difference = sample - preEmphasis * last;
      even += difference * difference;
      last = sample;
    }
    this.#previous = last;
    this.#even = even;
    this.#odd = odd;
    this.#filled += end - start;
  }

  #frame(levelDb: number): VadEvent | undefined {
    const threshold = Math.max(this.#floor.update(levelDb) + marginDb, quietestDb);
    if (levelDb > threshold - (this.#speaking ? hysteresisDb : 0)) this.#lastLoud = this.#frames;
    this.#frames++;
    if (this.#frames < settleFrames) {
      this.#start.push(levelDb);
      return undefined;
    }
    if (this.#frames === settleFrames) for (const level of this.#start) this.#note(level > threshold);
    else if (this.#recent >= onsetWindow) {
      this.#recent = onsetWindow - 1;
      this.#loud &= 2 ** this.#recent - 1;
    }
    this.#note(levelDb > threshold);
    if (this.#speaking) {
      if ((this.#frames - 1 - this.#lastLoud) * frameMs < this.#hangoverMs) return undefined;
      this.#speaking = false;
      return { type: 'ended', atMs: (this.#lastLoud + 1) * frameMs };
    }
    if (bitsIn(this.#loud) < onsetFrames) return undefined;
    this.#speaking = true;
    const newest = this.#frames - 1;
    this.#lastLoud = newest - highestBit(this.#loud & -this.#loud);
    return { type: 'began', atMs: (newest - highestBit(this.#loud)) * frameMs };
  }

  #note(isLoud: boolean): void {
    this.#recent++;
    this.#loud = (this.#loud << 1) | (isLoud ? 1 : 0);
  }
}

function bitsIn(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

const noEvents: readonly VadEvent[] = [];
const frameMs = 10;
const preEmphasis = 0.97;
const marginDb = 9;
const hysteresisDb = 3;
const quietestDb = -58;
/** Only then is it known whether the start was steady noise; what was said in it is found then. */
const settleFrames = 20;
const onsetWindow = 5;
const onsetFrames = 3;

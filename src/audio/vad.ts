import { createNoiseFloor } from './noise-floor.ts';

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
  readonly #floor = createNoiseFloor();
  readonly #start: number[] = [];
  /** The newest frames, the oldest first, and how many of them are loud. */
  #recent: boolean[] = [];
  #recentLoud = 0;
  #previous = 0;
  #energy = 0;
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
    // Locals within the loop: a field would be read and written again for each sample.
    const frameSamples = this.#frameSamples;
    const scale = pcm instanceof Int16Array ? 1 / 32_768 : 1;
    let [last, sum, filled] = [this.#previous, this.#energy, this.#filled];
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i]! * scale;
      const difference = sample - preEmphasis * last;
      last = sample;
      sum += difference * difference;
      if (++filled < frameSamples) continue;
      const event = this.#frame(10 * Math.log10(sum / frameSamples + 1e-10));
      if (event) events = [...events, event];
      filled = sum = 0;
    }
    [this.#previous, this.#energy, this.#filled] = [last, sum, filled];
    return events;
  }

  get speaking(): boolean {
    return this.#speaking;
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
    else while (this.#recent.length >= onsetWindow) if (this.#recent.shift()) this.#recentLoud--;
    this.#note(levelDb > threshold);
    if (this.#speaking) {
      if ((this.#frames - 1 - this.#lastLoud) * frameMs < this.#hangoverMs) return undefined;
      this.#speaking = false;
      return { type: 'ended', atMs: (this.#lastLoud + 1) * frameMs };
    }
    if (this.#recentLoud < onsetFrames) return undefined;
    this.#speaking = true;
    const oldest = this.#frames - this.#recent.length;
    this.#lastLoud = oldest + this.#recent.lastIndexOf(true);
    return { type: 'began', atMs: (oldest + this.#recent.indexOf(true)) * frameMs };
  }

  #note(isLoud: boolean): void {
    this.#recent.push(isLoud);
    if (isLoud) this.#recentLoud++;
  }
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

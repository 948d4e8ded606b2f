import { createNoiseFloor } from './noise-floor.ts';

/** `atMs`: where in the audio the speech began or ended, not when that was found out. */
export type VadEvent = { type: 'began' | 'ended'; atMs: number };

export type Vad = {
  /** Events found in these samples, in order; any chunking gives the same. */
  push(pcm: Float32Array): readonly VadEvent[];
  readonly speaking: boolean;
};

export type VadOptions = {
  sampleRateHz: number;
  /** Silence after which speech has ended; default 300. */
  hangoverMs?: number;
};

/**
 * Voice activity from the energy of 10 ms frames, first differences taken (hum and offset do not count), against an adaptive
 * noise floor. Speech begins with 3 loud frames of 5 and ends after `hangoverMs` without one. It finds sound that stands out,
 * which a door is too; the model's silence decides what is scored.
 */
export function createVad({ sampleRateHz, hangoverMs = 300 }: VadOptions): Vad {
  const frameSamples = Math.round((sampleRateHz * frameMs) / 1000);
  const floor = createNoiseFloor();
  const start: number[] = [];
  let recent: boolean[] = [];
  let previous = 0;
  let energy = 0;
  let filled = 0;
  let frames = 0;
  let lastLoud = 0;
  let speaking = false;

  const frame = (levelDb: number): VadEvent | undefined => {
    const threshold = Math.max(floor.update(levelDb) + marginDb, quietestDb);
    if (levelDb > threshold - (speaking ? hysteresisDb : 0)) lastLoud = frames;
    frames++;
    if (frames < settleFrames) {
      start.push(levelDb);
      return undefined;
    }
    if (frames === settleFrames) recent = start.map((level) => level > threshold);
    else while (recent.length >= onsetWindow) recent.shift();
    recent.push(levelDb > threshold);
    if (speaking) {
      if ((frames - 1 - lastLoud) * frameMs < hangoverMs) return undefined;
      speaking = false;
      return { type: 'ended', atMs: (lastLoud + 1) * frameMs };
    }
    if (count(recent) < onsetFrames) return undefined;
    speaking = true;
    const oldest = frames - recent.length;
    lastLoud = oldest + recent.lastIndexOf(true);
    return { type: 'began', atMs: (oldest + recent.indexOf(true)) * frameMs };
  };

  return {
    push(pcm) {
      let events = noEvents;
      // Locals: a number that a closure keeps is written to new memory each time it changes.
      let [last, sum] = [previous, energy];
      for (let i = 0; i < pcm.length; i++) {
        const sample = pcm[i]!;
        const difference = sample - preEmphasis * last;
        last = sample;
        sum += difference * difference;
        if (++filled < frameSamples) continue;
        const event = frame(10 * Math.log10(sum / frameSamples + 1e-10));
        if (event) events = [...events, event];
        filled = sum = 0;
      }
      [previous, energy] = [last, sum];
      return events;
    },
    get speaking() {
      return speaking;
    },
  };
}

function count(loud: readonly boolean[]): number {
  let total = 0;
  for (const one of loud) if (one) total++;
  return total;
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

import { describe, expect, it } from 'vitest';
import { toS16le } from '../../../src/audio/pcm.ts';
import { resample } from '../../../src/audio/resampler.ts';
import { readWav } from '../../../src/audio/wav.ts';
import { wavFile } from '../../../src/audio/write-wav.ts';
import { SessionSound } from '../../../src/backends/sound/session-sound.ts';

const tone = Int16Array.from({ length: 1600 }, (_, i) => Math.round(9000 * Math.sin(i / 5)));

/** What comes out of frames of 20 ms, one memory for all. */
function through(sound: SessionSound, samples: Int16Array | Float32Array, frame: number): Buffer {
  const memory = samples.slice(0, frame);
  const out: Uint8Array[] = [];
  for (let at = 0; at < samples.length; at += frame) {
    memory.set(samples.subarray(at, at + frame));
    out.push(sound.push(memory, (at / samples.length) * 100));
    memory.fill(0);
  }
  return Buffer.concat([...out, sound.flush()]);
}

it('gives 16-bit sound of the same rate as it is, whatever becomes of its memory', () => {
  expect(through(new SessionSound(16_000, 16_000), tone, 320)).toEqual(Buffer.from(tone.buffer));
});

it.each([
  [16_000, 24_000],
  [16_000, 8000],
  [44_100, 16_000],
])('brings %d Hz to %d Hz as if it were one piece', (fromHz, toHz) => {
  const floats = Float32Array.from(tone, (sample) => sample / 32_768);
  const expected = Buffer.from(toS16le(resample(floats, fromHz, toHz)));
  expect(through(new SessionSound(fromHz, toHz), tone, 160)).toEqual(expected);
  expect(through(new SessionSound(fromHz, toHz), floats, 160)).toEqual(expected);
});

describe('the way back to the clock of the session', () => {
  const frame = new Int16Array(320);
  it.each<[string, readonly number[], readonly [streamMs: number, sessionMs: number][]]>([
    [
      'begins where the sound does',
      [5000, 5020],
      [
        [0, 5000],
        [40, 5040],
      ],
    ],
    [
      'leaps over what was lost',
      [0, 20, 500, 520],
      [
        [20, 20],
        [40, 500],
        [60, 520],
        [80, 540],
      ],
    ],
    [
      'never leads behind the next stretch',
      [0, 500],
      [
        [20, 500],
        [19, 500],
        [10, 10],
      ],
    ],
    ['takes no rounding for a gap', [0, 20.4, 39.8], [[60, 60]]],
  ])('%s', (_, starts, places) => {
    const sound = new SessionSound(16_000, 16_000);
    for (const startMs of starts) sound.push(frame, startMs);
    for (const [streamMs, sessionMs] of places) expect(sound.sessionMs(streamMs)).toBeCloseTo(sessionMs, 9);
  });

  it('passes over silence that was put in', () => {
    const sound = new SessionSound(16_000, 16_000);
    sound.push(frame, 0);
    sound.padded(15);
    sound.push(frame, 20);
    expect(sound.sessionMs(35)).toBeCloseTo(20, 9);
    expect(sound.sessionMs(45)).toBeCloseTo(30, 9);
  });
});

it('writes WAV files that are read back to the last bit', () => {
  const pcm = new Uint8Array(tone.buffer);
  const wav = readWav(Buffer.from(wavFile(pcm, 16_000)));
  expect(wav).toMatchObject({ sampleRateHz: 16_000, channels: 1, durationMs: 100 });
  expect(Buffer.from(toS16le(wav.samples))).toEqual(Buffer.from(pcm));
});

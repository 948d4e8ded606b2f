import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResampler, resample } from '../../src/audio/resampler.ts';

const tone = (hz: number, sampleRateHz: number, length: number) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / sampleRateHz));

/** Loudest away from the ends, where a tone that starts at once is no tone. */
const levelDb = (samples: Float32Array) => {
  const middle = samples.subarray(samples.length >> 2, (3 * samples.length) >> 2);
  return 20 * Math.log10(Math.max(...middle.map(Math.abs)) / 0.5 + 1e-12);
};

describe('resample', () => {
  it.each([
    [8000, 16_000, 1000],
    [48_000, 16_000, 1000],
    [44_100, 16_000, 5000],
    [22_050, 16_000, 6500],
    [16_000, 8000, 3000],
    [11_025, 16_000, 440],
    [96_000, 16_000, 7000],
    [44_099, 16_000, 1000],
  ])('%i to %i Hz keeps a tone of %i Hz where it is', (fromHz, toHz, hz) => {
    const output = resample(tone(hz, fromHz, fromHz / 4), fromHz, toHz);
    const ideal = tone(hz, toHz, output.length);
    const edge = Math.ceil(toHz * 0.01);
    for (let i = edge; i < output.length - edge; i++) expect(Math.abs(output[i]! - ideal[i]!)).toBeLessThan(1e-3);
  });

  it.each([
    [48_000, 16_000, [8000, 8500, 9000, 12_000, 15_000, 20_000, 23_900]],
    [44_100, 16_000, [8000, 8300, 11_000, 16_000, 21_000]],
    [16_000, 8000, [4000, 4300, 5000, 7900]],
  ])('%i to %i Hz leaves what would alias at least 60 dB down', (fromHz, toHz, tonesHz) => {
    for (const hz of tonesHz) expect(levelDb(resample(tone(hz, fromHz, fromHz / 2), fromHz, toHz))).toBeLessThan(-60);
  });

  it('8 to 16 kHz adds no image above 4 kHz', () => {
    // The image of 3 kHz would be at 5 kHz: what is left beside the tone itself is small.
    const output = resample(tone(3000, 8000, 4000), 8000, 16_000);
    const ideal = tone(3000, 16_000, output.length);
    expect(levelDb(output.map((value, i) => value - ideal[i]!))).toBeLessThan(-60);
  });

  it('gives ceil(length x ratio) samples', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3000 }),
        fc.constantFrom(8000, 11_025, 44_100, 48_000),
        (length, fromHz) => {
          expect(resample(new Float32Array(length), fromHz, 16_000).length).toBe(Math.ceil((length * 16_000) / fromHz));
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  it('passes equal rates through untouched', () => {
    const input = tone(100, 16_000, 50);
    expect(resample(input, 16_000, 16_000)).toBe(input);
    expect(createResampler(16_000, 16_000).push(input)).toBe(input);
  });
});

describe('createResampler', () => {
  it('gives the same samples for any chunking', () => {
    const input = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i * 1e-4));
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 12 }),
        fc.constantFrom(8000, 44_100, 48_000),
        (sizes, fromHz) => {
          const resampler = createResampler(fromHz, 16_000);
          const parts: number[] = [];
          let at = 0;
          for (const size of [...sizes, input.length]) {
            parts.push(...resampler.push(input.subarray(at, at + size)));
            at = Math.min(input.length, at + size);
          }
          parts.push(...resampler.flush());
          expect(parts).toEqual([...resample(input, fromHz, 16_000)]);
        },
      ),
      { seed: 2, numRuns: 30 },
    );
  });

  it('lags no more than 4 ms', () => {
    expect(createResampler(48_000, 16_000).push(new Float32Array(4800)).length).toBeGreaterThan(1600 - 64);
  });
});

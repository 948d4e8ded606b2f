import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Vad, type VadEvent } from '../../src/audio/vad.ts';

const sampleRateHz = 16_000;

/** Numbers in [-1, 1) from a linear congruential generator: the same in every run. */
function noiseSource(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Something like speech: harmonics of a gliding pitch in syllables of 180 ms, with noise of level `noise` throughout. */
function sound(parts: readonly (readonly ['speech' | 'pause', number])[], noise: number, hum = 0): Float32Array {
  const random = noiseSource();
  const samples: number[] = [];
  for (const [kind, ms] of parts) {
    for (let i = 0; i < (ms * sampleRateHz) / 1000; i++) {
      const t = i / sampleRateHz;
      let value = noise * random() + hum * Math.sin(2 * Math.PI * 50 * (samples.length / sampleRateHz));
      const syllable = Math.abs(Math.sin((Math.PI * t) / 0.18)) ** 0.5;
      for (let h = 1; kind === 'speech' && h < 20; h++) {
        value += ((0.15 * syllable) / h ** 0.7) * Math.sin(2 * Math.PI * (140 + 20 * Math.sin(3 * t)) * h * t);
      }
      samples.push(value);
    }
  }
  return Float32Array.from(samples);
}

const events = (pcm: Float32Array | Int16Array): readonly VadEvent[] => new Vad({ sampleRateHz }).push(pcm);

const twoTurns = [
  ['pause', 800],
  ['speech', 1500],
  ['pause', 900],
  ['speech', 1200],
  ['pause', 900],
] as const;

describe('Vad', () => {
  it.each([
    ['a quiet room', 0.0005, 0],
    ['a noisy room', 0.01, 0],
    ['a loud hum', 0.001, 0.1],
    ['digital silence', 0, 0],
  ])('finds two turns in %s, each within 60 ms of the truth', (_, noise, hum) => {
    const found = events(sound(twoTurns, noise, hum));
    expect(found.map(({ type }) => type)).toEqual(['began', 'ended', 'began', 'ended']);
    [800, 2300, 3200, 4400].forEach((truthMs, i) => {
      expect(Math.abs(found[i]!.atMs - truthMs)).toBeLessThanOrEqual(60);
    });
  });

  it.each([
    ['silence', 0],
    ['faint noise', 0.001],
    ['loud steady noise', 0.2],
  ])('finds nobody in %s', (_, noise) => {
    expect(events(sound([['pause', 5000]], noise))).toEqual([]);
  });

  it('finds nobody in a click', () => {
    const pcm = sound([['pause', 2000]], 0.0005);
    pcm.fill(0.9, 16_000, 16_080);
    expect(events(pcm)).toEqual([]);
  });

  it('finds nobody when a noise stops', () => {
    const pcm = sound([['pause', 3000]], 0.02);
    pcm.fill(0, 32_000);
    expect(events(pcm)).toEqual([]);
  });

  it('hears a voice that is there from the first sample', () => {
    expect(events(sound([['speech', 1000]], 0.0005))[0]).toMatchObject({ type: 'began', atMs: expect.closeTo(0, -2) });
  });

  it('stays with a speaker over a pause shorter than the hangover', () => {
    const parts = [
      ['pause', 600],
      ['speech', 700],
      ['pause', 200],
      ['speech', 700],
      ['pause', 600],
    ] as const;
    expect(events(sound(parts, 0.001)).map(({ type }) => type)).toEqual(['began', 'ended']);
  });

  it('says that speech ended 300 ms after it did, and says so at once', () => {
    const vad = new Vad({ sampleRateHz });
    vad.push(
      sound(
        [
          ['pause', 600],
          ['speech', 720],
        ],
        0.0005,
      ),
    );
    expect(vad.speaking).toBe(true);
    const silence = sound([['pause', 280]], 0.0005);
    expect(vad.push(silence)).toEqual([]);
    expect(vad.push(sound([['pause', 60]], 0.0005)).map(({ type }) => type)).toEqual(['ended']);
    expect(vad.speaking).toBe(false);
  });

  it('hears the same in whole numbers of 16 bits', () => {
    const whole = Int16Array.from(sound(twoTurns, 0.01), (value) => value * 32_768);
    const found = events(whole);
    expect(found).toHaveLength(4);
    expect(found).toEqual(events(Float32Array.from(whole, (value) => value / 32_768)));
  });

  it('gives the same events for any chunking', () => {
    const pcm = sound(twoTurns, 0.002);
    const whole = events(pcm);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (size) => {
        const vad = new Vad({ sampleRateHz });
        const found: VadEvent[] = [];
        for (let at = 0; at < pcm.length; at += size) found.push(...vad.push(pcm.subarray(at, at + size)));
        expect(found).toEqual(whole);
      }),
      { seed: 3, numRuns: 15 },
    );
  });
});

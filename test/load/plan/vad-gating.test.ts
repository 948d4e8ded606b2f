import { expect, it } from 'vitest';
import { toS16le } from '../../../src/audio/pcm.ts';
import { gatedFrames, gatedWithin } from '../../../src/load/plan/vad-gating.ts';

/** Alternately quiet hiss and loud noise, in seconds each, beginning with the hiss. */
function recording(...seconds: number[]) {
  let state = 1;
  const noise = () => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x3fffffff - 1;
  };
  const samples = seconds.flatMap((length, k) =>
    Array.from({ length: length * 16_000 }, () => noise() * (k % 2 === 0 ? 0.001 : 0.3)),
  );
  return { pcm: toS16le(Float32Array.from(samples)), sampleRateHz: 16_000 };
}

const options = { hangoverMs: 300, leadMs: 200 };

it('silence before, between and after speech is held back, but for the hangover and the lead', () => {
  // Speech from 1 to 2 s and from 4 to 5 s of 6 s: frames of 20 ms.
  const gated = gatedFrames(recording(1, 1, 2, 1, 1), 300, 20, options);
  expect(gated).toHaveLength(3);
  for (const [k, [from, to]] of [
    [0, 40],
    [115, 190],
    [265, 300],
  ].entries()) {
    expect(Math.abs(gated[k]![0] - from!)).toBeLessThanOrEqual(2);
    expect(Math.abs(gated[k]![1] - to!)).toBeLessThanOrEqual(2);
  }
});

it.each([
  ['speech without a pause', recording(0.2, 3)],
  ['a pause shorter than hangover and lead', recording(0.2, 1, 0.4, 1)],
])('%s goes out whole', (_, given) => {
  expect(gatedFrames(given, given.pcm.length / 640, 20, options)).toEqual([]);
});

it('silence alone is held back whole', () => {
  expect(gatedFrames(recording(2), 100, 20, options)).toEqual([[0, 100]]);
});

it.each<[frames: number, left: [number, number][]]>([
  [
    100,
    [
      [0, 10],
      [50, 60],
    ],
  ],
  [
    55,
    [
      [0, 10],
      [50, 55],
    ],
  ],
  [50, [[0, 10]]],
  [4, [[0, 4]]],
])('of what is gated, %i spoken frames have %j', (frames, left) => {
  expect(
    gatedWithin(
      [
        [0, 10],
        [50, 60],
      ],
      frames,
    ),
  ).toEqual(left);
});

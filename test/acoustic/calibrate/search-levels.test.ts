import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextLoad } from '../../../src/acoustic/calibrate/search-levels.ts';

/** Searches a device that carries so many streams; what was tried, and the most that held. */
function search(carries: number, guess: number, most = 10_000) {
  let [held, beyond] = [0, Number.POSITIVE_INFINITY];
  const tried: number[] = [];
  for (;;) {
    const streams = nextLoad({ held, beyond }, guess, most);
    if (streams === undefined) return { tried, held };
    tried.push(streams);
    if (streams <= carries) held = Math.max(held, streams);
    else beyond = Math.min(beyond, streams);
  }
}

describe('the search for the most live streams', () => {
  it('begins well below the guess, doubles, and closes in', () => {
    expect(search(300, 800)).toEqual({ tried: [100, 200, 400, 300, 350, 325], held: 300 });
  });

  it.each([
    ['nothing', 0, 800, 0],
    ['one stream', 1, 0, 1],
    ['more than the most that is tried', 100_000, 8000, 10_000],
  ])('ends for a device that carries %s', (_, carries, guess, held) => {
    expect(search(carries, guess).held).toBe(held);
  });

  it('ends within a tenth of what a device carries, whatever was guessed, and tries nothing twice', () => {
    const streams = fc.integer({ min: 1, max: 9000 });
    fc.assert(
      fc.property(streams, fc.integer({ min: 0, max: 20_000 }), (carries, guess) => {
        const { tried, held } = search(carries, guess);
        expect(held).toBeLessThanOrEqual(carries);
        expect(held).toBeGreaterThanOrEqual(Math.min(carries - 1, carries / 1.1 - 1));
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried.length).toBeLessThan(25);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameGaps } from '../../../src/scoring/align/frame-gaps.ts';

it('finds what a list of all gaps finds', () => {
  const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 40 });
  const stretch = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 6 }));
  const law = fc.property(steps, fc.array(stretch, { maxLength: 30 }), (gaps, asked) => {
    const all: [number, number][] = [];
    const found = new FrameGaps();
    let at = 0;
    for (const [apart, length] of gaps) {
      all.push([at + apart, at + apart + length]);
      found.add(at + apart, at + apart + length);
      at += apart + length;
    }
    for (const [start, length] of asked) {
      const end = start + length;
      const expected = all.some(([from, to]) => start < to && end > from);
      expect(found.touch(start, end)).toBe(expected);
    }
  });
  fc.assert(law, { numRuns: 200, seed: 3 });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeqRanges } from '../../../src/server/session/seq-ranges.ts';

describe('ranges of seqs', () => {
  it('give each seq once', () => {
    const ranges = new SeqRanges<string>(2);
    ranges.add([3, 5], 'a');
    expect(taken(ranges, [4, 4, 3, 5, 5])).toEqual(['a', undefined, 'a', 'a', undefined]);
  });

  it('forget the oldest', () => {
    const ranges = new SeqRanges<string>(2);
    for (const [index, name] of ['a', 'b', 'c'].entries()) ranges.add([index, index], name);
    expect(taken(ranges, [0, 1, 2])).toEqual([undefined, 'b', 'c']);
  });

  it('of which one was split forget its parts one by one', () => {
    const ranges = new SeqRanges<string>(2);
    ranges.add([0, 4], 'a');
    ranges.take(2);
    ranges.add([10, 10], 'b');
    expect(taken(ranges, [1, 3, 10])).toEqual([undefined, 'a', 'b']);
  });

  it('of which one is split on and on stay as few', () => {
    const ranges = new SeqRanges<string>(3);
    ranges.add([0, 20], 'a');
    // Each seq in the middle makes two of one: beyond three the oldest goes.
    expect(taken(ranges, [2, 4, 6, 8, 0, 3, 5, 7, 20])).toEqual([
      'a',
      'a',
      'a',
      'a',
      undefined,
      undefined,
      'a',
      'a',
      'a',
    ]);
  });

  it('that were cleared hold nothing', () => {
    const ranges = new SeqRanges<string>(2);
    ranges.add([0, 4], 'a');
    ranges.clear();
    expect(taken(ranges, [0, 2, 4])).toEqual([undefined, undefined, undefined]);
  });

  it('in whatever order seqs are asked for, give each its value once, and nothing for others', () => {
    const lengths = fc.array(fc.record({ hole: fc.nat(3), length: fc.integer({ min: 1, max: 6 }) }), { maxLength: 8 });
    fc.assert(
      fc.property(lengths, fc.array(fc.nat(80), { maxLength: 80 }), (parts, asked) => {
        const ranges = new SeqRanges<number>(1000);
        const left = new Map<number, number>();
        let next = 0;
        for (const [value, { hole, length }] of parts.entries()) {
          ranges.add([next + hole, next + hole + length - 1], value);
          for (let seq = next + hole; seq < next + hole + length; seq++) left.set(seq, value);
          next += hole + length;
        }
        for (const seq of asked) {
          expect(ranges.take(seq)).toBe(left.get(seq));
          left.delete(seq);
        }
      }),
    );
  });
});

function taken<Value>(ranges: SeqRanges<Value>, seqs: readonly number[]): (Value | undefined)[] {
  return seqs.map((seq) => ranges.take(seq));
}

import { describe, expect, it } from 'vitest';
import { alignToParents, SkewTally } from '../../../src/budget/traces/clock-skew.ts';
import type { Span } from '../../../src/budget/traces/critical-path.ts';

const stages = ['queue', 'asr'];
const root = span('r', undefined, 'feedback', 100, 200);

describe('spans outside their parent', () => {
  it.each<[string, Span[], number[][]]>([
    [
      'inside: stays',
      [root, span('a', 'r', 'asr', 110, 190)],
      [
        [100, 200],
        [110, 190],
      ],
    ],
    [
      'after it: as little as possible',
      [root, span('a', 'r', 'asr', 5120, 5200)],
      [
        [100, 200],
        [120, 200],
      ],
    ],
    [
      'before it',
      [root, span('a', 'r', 'asr', -70, -10)],
      [
        [100, 200],
        [100, 160],
      ],
    ],
    [
      'across its end',
      [root, span('a', 'r', 'asr', 150, 220)],
      [
        [100, 200],
        [130, 200],
      ],
    ],
    [
      'longer, from within: stays',
      [root, span('a', 'r', 'asr', 150, 400)],
      [
        [100, 200],
        [150, 400],
      ],
    ],
    [
      'longer, from before: to its begin',
      [root, span('a', 'r', 'asr', 50, 400)],
      [
        [100, 200],
        [100, 450],
      ],
    ],
    [
      'longer, after it: to its begin',
      [root, span('a', 'r', 'asr', 900, 1050)],
      [
        [100, 200],
        [100, 250],
      ],
    ],
    [
      'with all that hangs below it',
      [root, span('s', 'r', 'POST /infer', 5110, 5190), span('a', 's', 'asr', 5120, 5180)],
      [
        [100, 200],
        [120, 200],
        [130, 190],
      ],
    ],
    [
      'two clocks, each with its own',
      [root, span('s', 'r', 'POST /infer', 5110, 5190), span('a', 's', 'asr', 9000, 9060)],
      [
        [100, 200],
        [120, 200],
        [140, 200],
      ],
    ],
    [
      'no stage and none below: stays',
      [root, span('l', 'r', 'write logs', 300, 350)],
      [
        [100, 200],
        [300, 350],
      ],
    ],
    [
      'its parent is not in the trace: stays',
      [root, span('a', 'x', 'asr', 300, 350)],
      [
        [100, 200],
        [300, 350],
      ],
    ],
  ])('%s', (_, spans, expected) => {
    const aligned = alignToParents(spans, ({ name }) => stages.includes(name));
    expect(aligned.spans.map(({ startMs, endMs }) => [startMs, endMs])).toEqual(expected);
  });

  it('ends also where spans are parents of one another', () => {
    const circle = [span('a', 'b', 'asr', 0, 10), span('b', 'a', 'queue', 20, 30)];
    expect(alignToParents(circle, () => true).spans).toHaveLength(2);
  });

  it('are counted by trace and name, and not told below a millisecond', () => {
    const tally = new SkewTally();
    tally.add(new Map([['asr', 5000]]));
    tally.add(
      new Map([
        ['asr', 80],
        ['queue', 2],
      ]),
    );
    tally.add(new Map([['queue', 0.4]]));
    expect(tally.notes(10)).toEqual([
      expect.stringContaining(
        'in 2 of 10 traces a stage lies outside its parent ("asr" by up to 5 s, "queue" by up to 2 ms)',
      ),
    ]);
    expect(new SkewTally().notes(10)).toEqual([]);
  });
});

function span(id: string, parent: string | undefined, name: string, startMs: number, endMs: number): Span {
  return { id, parent, name, startMs, endMs };
}

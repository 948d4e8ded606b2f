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
      'longer, begun where its parent ends: to its begin',
      [root, span('a', 'r', 'asr', 200, 350)],
      [
        [100, 200],
        [100, 250],
      ],
    ],
    [
      'as long, across its end: to its begin',
      [root, span('a', 'r', 'asr', 150, 250)],
      [
        [100, 200],
        [100, 200],
      ],
    ],
    [
      'no stage, beside one that is moved: stays',
      [root, span('l', 'r', 'write logs', 300, 350), span('a', 'r', 'asr', 210, 220)],
      [
        [100, 200],
        [300, 350],
        [190, 200],
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

  it('are named by how many traces they were moved in, three of them, each with its most', () => {
    const tally = new SkewTally();
    tally.add(new Map([['once', 900]]));
    tally.add(
      new Map([
        ['twice', 1],
        ['thrice', 5],
        ['always', 3],
      ]),
    );
    tally.add(
      new Map([
        ['twice', 4],
        ['thrice', 2],
        ['always', 2],
      ]),
    );
    tally.add(
      new Map([
        ['thrice', 3],
        ['always', 7],
      ]),
    );
    tally.add(new Map([['always', 1]]));
    tally.add(new Map([['always', 0.999]]));
    tally.add(new Map());
    expect(tally.notes(7)).toEqual([
      'in 5 of 7 traces a stage lies outside its parent ("always" by up to 7 ms, "thrice" by up to 5 ms, "twice" by up to 4 ms): clocks differ, or it runs on in the background; it was moved into its parent',
    ]);
  });

  it('move by as much as they are told to have, the most of a name', () => {
    const spans = [
      root,
      span('a', 'r', 'asr', 205, 215),
      span('b', 'r', 'asr', 240, 250),
      span('c', 'r', 'asr', 80, 90),
      span('d', 'r', 'queue', 100, 200),
    ];
    const { shifts, spans: moved } = alignToParents(spans, ({ name }) => stages.includes(name));
    expect([...shifts]).toEqual([['asr', 50]]);
    expect(moved.map(({ id }) => id)).toEqual(['r', 'a', 'b', 'c', 'd']);
  });

  it('leave a trace as it is where none must be moved', () => {
    const inside = [root, span('a', 'r', 'asr', 100, 200), span('s', 's', 'queue', 900, 950)];
    const aligned = alignToParents(inside, () => true);
    expect(aligned.spans).toBe(inside);
    expect(aligned.shifts.size).toBe(0);
    const moved = alignToParents([...inside, span('b', 'r', 'asr', 0, 10)], () => true).spans;
    expect(moved[0]).toBe(root);
    expect(moved[1]).toBe(inside[1]);
    expect(moved[2]).toBe(inside[2]);
    expect(moved[3]).toEqual(span('b', 'r', 'asr', 100, 110));
  });
});

function span(id: string, parent: string | undefined, name: string, startMs: number, endMs: number): Span {
  return { id, parent, name, startMs, endMs };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalPath, type Span } from '../../../src/budget/traces/critical-path.ts';

const named = ({ name }: Span) => (name === 'root' || name.startsWith('-') ? undefined : name);

describe('the critical path', () => {
  it.each([
    ['stages after one another', 'root 0 10; a 0 4; b 4 10', { a: 4, b: 6 }, 0],
    ['a gap belongs to no stage', 'root 0 10; a 0 3; b 5 9', { a: 3, b: 4 }, 0],
    ['an overlap belongs to the stage that ended last', 'root 0 10; a 0 6; b 4 10', { a: 4, b: 6 }, 2],
    ['work wholly beside longer work is free', 'root 0 10; a 0 10; b 3 7', { a: 10, b: 0 }, 4],
    ['a child without a stage belongs to its parent’s', 'root 0 10; a 0 8; -inner 2 6 <a', { a: 8 }, 0],
    ['a stage within a stage takes its own time', 'root 0 10; a 0 8; b 2 6 <a', { a: 4, b: 4 }, 4],
    ['a child may not reach past its parent', 'root 0 10; a 0 5; b 2 9 <a', { a: 2, b: 3 }, 7],
    ['without a root the first start and last end bound it', 'a 0 4; b 4 9', { a: 4, b: 5 }, 0],
  ])('%s', (_name, text, stages, overlapMs) => {
    const path = criticalPath(spansOf(text), named);
    expect(path.stages).toEqual(stages);
    expect(path.overlapMs).toBe(overlapMs);
  });

  it('never claims more than the total, whatever the spans', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(9)), { minLength: 1, maxLength: 12 }), (rows) => {
        const spans = rows.map(([start, length, parent], i) => ({
          id: String(i),
          parent: parent < i ? String(parent) : undefined,
          name: `s${i % 4}`,
          startMs: start,
          endMs: start + length,
        }));
        const path = criticalPath(spans, named);
        const sum = Object.values(path.stages).reduce((all, ms) => all + ms, 0);
        expect(sum).toBeLessThanOrEqual(path.totalMs + 1e-9);
      }),
    ));

  it('adds up: stages and unclaimed time are the total', () => {
    const path = criticalPath(spansOf('root 0 10; a 1 4; -x 5 9; b 6 7 <-x'), named);
    expect(path.stages).toEqual({ a: 3, b: 1 });
    expect([...path.unclaimed]).toEqual([
      ['root', 3],
      ['-x', 3],
    ]);
  });

  it.each<[string, string, object, [string, number][]]>([
    [
      'two spans beside one another',
      'root 0 10; -x 0 2; -x2 4 5',
      { startMs: 0, totalMs: 10 },
      [
        ['root', 7],
        ['-x', 2],
        ['-x2', 1],
      ],
    ],
    ['time between spans without a root', 'a 2 4; b 6 9', { startMs: 2, totalMs: 7 }, [['', 2]]],
    ['a parent that is not in the trace', 'a 1 4 <z; b 4 9', { startMs: 1, totalMs: 8 }, []],
    ['a span that is its own parent', 'a 1 4 <a; b 4 9', { startMs: 1, totalMs: 8, stages: { a: 3, b: 5 } }, []],
    ['a span of no time', 'root 0 10; a 5 5', { stages: { a: 0 } }, [['root', 10]]],
    [
      'a child that begins before its parent',
      'root 2 10; a 0 6',
      { startMs: 2, totalMs: 8, stages: { a: 4 } },
      [['root', 4]],
    ],
    ['less spent than on the path', 'root 0 10; a 0 8; -b 2 4 <a', { stages: { a: 8 }, overlapMs: 0 }, [['root', 2]]],
  ])('says whose the time is: %s', (_name, text, found, unclaimed) => {
    const path = criticalPath(spansOf(text), named);
    expect(path).toMatchObject(found);
    expect([...path.unclaimed]).toEqual(unclaimed);
  });

  it('sums the unclaimed time of one name', () => {
    const spans = [
      { id: '1', parent: undefined, name: '-x', startMs: 0, endMs: 3 },
      { id: '2', parent: undefined, name: '-x', startMs: 4, endMs: 9 },
    ];
    expect([...criticalPath(spans, named).unclaimed]).toEqual([
      ['', 1],
      ['-x', 8],
    ]);
  });

  it('follows a trace of any depth', () => {
    const spans = Array.from({ length: 50_000 }, (_, i) => {
      return { id: `${i}`, parent: i > 0 ? `${i - 1}` : undefined, name: 'a', startMs: 0, endMs: 5 };
    });
    expect(criticalPath(spans, named)).toMatchObject({ stages: { a: 5 }, totalMs: 5 });
  });

  it('ends although spans name one another as parents', () => {
    const spans = [
      { id: 'x', parent: 'y', name: 'a', startMs: 0, endMs: 5 },
      { id: 'y', parent: 'x', name: 'b', startMs: 0, endMs: 5 },
    ];
    expect(criticalPath(spans, named)).toMatchObject({ stages: { a: 0, b: 0 }, totalMs: 5 });
  });
});

/** `name start end [<parent]; ...`; without a parent a span hangs below `root` when there is one. */
function spansOf(text: string): Span[] {
  const hasRoot = text.startsWith('root');
  return text.split('; ').map((part) => {
    const [name, start, end, parent] = part.split(' ') as [string, string, string, string?];
    const above = parent?.slice(1) ?? (hasRoot && name !== 'root' ? 'root' : undefined);
    return { id: name, parent: above, name, startMs: Number(start), endMs: Number(end) };
  });
}

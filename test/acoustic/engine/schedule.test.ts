import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largerGroups, nextLevel, paces } from '../../../src/acoustic/engine/pace.ts';
import { decide, type Terms, type Waiting } from '../../../src/acoustic/engine/schedule.ts';
import { fitBatch, runShapes, shapesUpTo, stepsWithin } from '../../../src/acoustic/onnx/shapes.ts';

type Named = Waiting & { name: string };

/** A stream whose steps came at the given times; its deadlines are a step apart at least. */
function stream(name: string, arrivals: readonly number[], ended = false, taken = 0): Named {
  const arrivalMs = (index: number) => arrivals[index]!;
  return { name, pending: arrivals.length, taken, arrivalMs, oldestDeadlineMs: arrivals[0]!, ended, canWait: false };
}

/** Others go before it. */
const patient = (one: Named): Named => ({ ...one, canWait: true });

const shapes = runShapes('cpu');
const terms = (steps: number, fillMs: number): Terms => ({ pace: { steps, fillMs }, shapes, strideMs: 20 });

/** The decision in short: `a b x2` runs streams a and b two steps, `wait 25` waits until then. */
function short(waiting: readonly Named[], open: number, nowMs: number, under: Terms): string {
  const decision = decide(waiting, open, nowMs, under);
  if ('waitUntilMs' in decision) return `wait ${decision.waitUntilMs}`;
  return `${decision.run.map(({ name }) => name).join(' ')} x${decision.steps}`;
}

const burst = (name: string, at: number, steps: number) => stream(name, new Array(steps).fill(at));
const many = (count: number, at: number) => Array.from({ length: count }, (_, i) => stream(`s${i}`, [at]));

const names = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`).join(' ');

describe('decide', () => {
  it.each<[string, readonly Named[], number, number, Terms, string]>([
    ['waits for ever when nothing waits', [], 9, 0, terms(1, 0), 'wait Infinity'],
    ['runs a step at once when idle', [stream('a', [10])], 9, 10, terms(1, 0), 'a x1'],
    [
      'runs the rest of a group, so that the next is whole',
      [stream('a', [10, 30, 50], false, 3)],
      9,
      55,
      terms(5, 5),
      'a x2',
    ],
    [
      'waits for the rest of a group, and half a step more',
      [stream('a', [10], false, 3)],
      9,
      12,
      terms(5, 5),
      'wait 45',
    ],
    ['runs across groups when behind', [burst('a', 10, 12)], 9, 15, terms(5, 5), 'a x10'],
    ['fills for 5 ms under load', [stream('a', [10])], 9, 12, terms(1, 5), 'wait 15'],
    ['runs when 5 ms have passed', [stream('a', [10]), stream('b', [14])], 9, 15, terms(1, 5), 'a b x1'],
    [
      'does not wait for more when all that are open are ripe',
      [stream('a', [10]), stream('b', [11])],
      2,
      11,
      terms(1, 5),
      'a b x1',
    ],
    ['waits for a second step where the pace is two', [stream('a', [10])], 9, 12, terms(2, 5), 'wait 45'],
    ['counts the fill from the second step', [stream('a', [10, 30])], 9, 31, terms(2, 5), 'wait 35'],
    ['runs both then', [stream('a', [10, 30])], 9, 35, terms(2, 5), 'a x2'],
    ['runs what there is when the second step stays away', [stream('a', [10])], 9, 45, terms(2, 5), 'a x1'],
    ['does not wait for more of a stream that has ended', [stream('a', [10], true)], 1, 10, terms(5, 5), 'a x1'],
    [
      'runs the groups of one length, and leaves others whole',
      [stream('a', [10, 11, 12, 13, 14]), stream('b', [11, 12], false, 3), stream('c', [12, 12, 12, 12, 12])],
      9,
      30,
      terms(5, 5),
      'a c x5',
    ],
    ['leaves out a stream that is not ripe', [stream('a', [10, 30]), stream('b', [34])], 9, 35, terms(2, 5), 'a x2'],
    ['takes the oldest deadline first', [stream('b', [11]), stream('a', [10])], 9, 20, terms(1, 0), 'a b x1'],
    ['takes a lone burst in large runs', [burst('a', 10, 60)], 1, 10, terms(1, 0), 'a x50'],
    [
      'keeps to what the live streams hold when one has a burst',
      [burst('a', 9, 50), stream('b', [10]), stream('c', [10])],
      3,
      10,
      terms(1, 0),
      'a b c x1',
    ],
    [
      'takes more when most hold more',
      [burst('a', 9, 6), burst('b', 9, 5), burst('c', 9, 7), stream('d', [10])],
      4,
      10,
      terms(1, 0),
      'a b c x5',
    ],
    [
      'never passes over the first for those who hold more',
      [stream('a', [9]), burst('b', 10, 5), burst('c', 10, 5)],
      3,
      10,
      terms(1, 0),
      'a b c x1',
    ],
  ])('%s', (_, waiting, open, nowMs, under, expected) => {
    expect(short(waiting, open, nowMs, under)).toBe(expected);
  });

  it.each<[string, readonly Named[], number, string]>([
    ['what can wait runs with the others', [patient(stream('a', [9])), stream('b', [10])], 10, 'b a x1'],
    ['and alone at once', [patient(stream('a', [9]))], 10, 'a x1'],
    ['and behind a full batch', [...many(16, 9).map(patient), ...many(16, 10)], 10, `${names(16)} x1`],
    [
      'but before those who came five seconds later',
      [patient(stream('a', [9])), ...many(16, 5010)],
      5010,
      `a ${names(15)} x1`,
    ],
  ])('%s', (_, waiting, nowMs, expected) => {
    expect(short(waiting, waiting.length, nowMs, terms(1, 0))).toBe(expected);
  });

  it('runs a full batch without waiting for the rest', () => {
    const decision = decide(many(40, 10), 100, 11, terms(1, 5));
    expect(decision).toMatchObject({ bucket: 16, steps: 1 });
  });

  it('never runs a stream for more steps than it holds, nor a shape that is not warm', () => {
    const waiting = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 80 })), { minLength: 1, maxLength: 90 });
    const anyShapes = fc.constantFrom(...[1, 2, 16, 64].map(shapesUpTo));
    fc.assert(
      fc.property(waiting, fc.constantFrom(...paces, largerGroups), anyShapes, (list, pace, shapes) => {
        const streams = list.map(([at, steps], i) => burst(`s${i}`, at, steps));
        const decision = decide(streams, streams.length, 1000, { pace, shapes, strideMs: 20 });
        if (!('run' in decision)) throw new Error('it waits though all are overdue');
        const { run, steps, bucket } = decision;
        expect(new Set(run).size).toBe(run.length);
        expect(run.every((one) => one.pending >= steps)).toBe(true);
        expect(run.length).toBeGreaterThan(0);
        expect(run.length).toBeLessThanOrEqual(bucket);
        expect(shapes.all).toContainEqual({ batch: bucket, steps });
        expect(run).toContain([...streams].sort((a, b) => a.oldestDeadlineMs - b.oldestDeadlineMs)[0]);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

describe('fitBatch', () => {
  it.each([
    [1, 1, 1, 1],
    [3, 1, 3, 4],
    [5, 1, 4, 4],
    [6, 1, 6, 8],
    [23, 1, 16, 16],
    [12, 1, 12, 16],
    [500, 1, 16, 16],
    [500, 5, 16, 16],
    [500, 50, 1, 1],
  ])('puts %i streams of %i steps: %i in a bucket of %i', (ready, steps, streams, bucket) => {
    expect(fitBatch(ready, steps, shapes)).toEqual({ streams, bucket });
  });

  it('lets an accelerator take twice as many', () => {
    expect(fitBatch(500, 1, runShapes('cuda'))).toEqual({ streams: 64, bucket: 64 });
  });
});

it.each([
  [1, 1],
  [3, 3],
  [4, 4],
  [9, 5],
  [49, 25],
  [5000, 50],
])('of %i steps %i run at once', (pending, steps) => expect(stepsWithin(pending, shapes)).toBe(steps));

describe('nextLevel', () => {
  it.each([
    [0, 0.2, 0],
    [0, 0.3, 1],
    [1, 0.2, 1],
    [1, 0.3, 2],
    [2, 1, 2],
    [2, 0.05, 2],
    [2, 0.03, 1],
    [1, 0.03, 0],
    [0, 0, 0],
  ])('goes from %i at %f busy to %i', (level, busy, next) => expect(nextLevel(level, busy)).toBe(next));
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedbackIntervals } from '../../../src/load/meter/feedback-intervals.ts';

/** Two utterances of 300 and 250 ms, due at 1000 and 2000 on the clock; intervals of 100 ms, frames of 20. */
function twoUtterances() {
  const intervals = new FeedbackIntervals(100, 20);
  intervals.add(1000, 300);
  intervals.add(2000, 250);
  return intervals;
}

function covered(
  intervals: FeedbackIntervals,
  audioMs: number,
  receivedMs: number,
): [latencyMs: number, endMs: number][] {
  const found: [number, number][] = [];
  intervals.cover(audioMs, receivedMs, (latencyMs, endMs) => found.push([latencyMs, endMs]));
  return found;
}

describe('intervals in which feedback is due', () => {
  it.each([
    ['an event on the interval end counts from the first sample of its last frame', [[100, 1150]], [[70, 100]]],
    ['an event before the interval end covers nothing', [[99, 1150]], []],
    [
      'one event may cover several intervals, each from its own due time',
      [[300, 1400]],
      [
        [320, 100],
        [220, 200],
        [120, 300],
      ],
    ],
    [
      'what is covered again is not counted again',
      [
        [200, 1250],
        [200, 1260],
        [150, 1270],
      ],
      [
        [170, 100],
        [70, 200],
      ],
    ],
    [
      'the second utterance has due times of its own',
      [
        [300, 1330],
        [400, 2130],
      ],
      [
        [250, 100],
        [150, 200],
        [50, 300],
        [50, 400],
      ],
    ],
    [
      'the tail of an utterance shorter than a interval is no interval',
      [[550, 2300]],
      [
        [1220, 100],
        [1120, 200],
        [1020, 300],
        [220, 400],
        [120, 500],
      ],
    ],
  ])('%s', (_, events, expected) => {
    const intervals = twoUtterances();
    expect(events.flatMap(([audioMs, receivedMs]) => covered(intervals, audioMs!, receivedMs!))).toEqual(expected);
  });

  it.each([
    ['none before the first was over', 1099, 0],
    ['one when its sound is over', 1100, 1],
    ['all of the first utterance', 1999, 3],
    ['everything in the end', Number.POSITIVE_INFINITY, 5],
  ])('missing: %s', (_, untilMs, expected) => {
    expect(missing(twoUtterances(), untilMs)).toHaveLength(expected);
  });

  it('covered and missing intervals add up to those that were due, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 700, noNaN: true })), (positions) => {
        const intervals = twoUtterances();
        const found = positions.flatMap((audioMs, i) => covered(intervals, audioMs, 3000 + i));
        expect(found.length + missing(intervals, Number.POSITIVE_INFINITY).length).toBe(5);
        expect(found.map(([, endMs]) => endMs)).toEqual([100, 200, 300, 400, 500].slice(0, found.length));
      }),
    );
  });

  it.each([
    [0, 1000],
    [300, 1300],
    [310, 2010],
    [550, 2250],
    [551, undefined],
  ])('the sound at %i ms was due at %s', (audioMs, dueMs) => {
    expect(twoUtterances().dueMs(audioMs)).toBe(dueMs);
  });
});

/** When each missing interval was due. */
function missing(intervals: FeedbackIntervals, untilMs: number): number[] {
  const due: number[] = [];
  intervals.giveUp(untilMs, ({ dueMs }) => due.push(dueMs));
  return due;
}

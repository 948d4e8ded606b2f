import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Routing, Streams } from '../../../src/capacity/simulation/streams.ts';
import { createRandom } from '../../../src/stats/random.ts';

const region = { pinned: false, managedPool: 0 };
const one: Routing = { regions: [region], managedLimits: [], share: 1, spillover: true };
const two: Routing = { ...one, regions: [region, region] };
const streamsOf = (routing: Routing) => new Streams(routing, createRandom(1));

describe('where a stream goes', () => {
  it('waits when the pods are full, and is served first when one frees', () => {
    const streams = streamsOf(one);
    streams.setCapacity(0, 1, 0);
    for (const atMs of [0, 100, 200]) streams.start(0, atMs);
    expect([streams.inPods(0), streams.waiting()]).toEqual([1, 2]);
    streams.end(0, 0, 1100);
    expect([streams.inPods(0), streams.waiting()]).toEqual([1, 1]);
    expect(streams.waits.quantileMs(1)).toBeGreaterThanOrEqual(1000);
    expect(streams.waits.quantileMs(1)).toBeLessThan(1011);
  });

  it('spills from full pods to managed, up to its limit', () => {
    const streams = streamsOf({ ...one, managedLimits: [2] });
    streams.setCapacity(0, 3, 0);
    for (let i = 0; i < 7; i++) streams.start(0, 0);
    expect([streams.inPods(0), streams.managed(), streams.waiting()]).toEqual([3, 2, 2]);
  });

  it('spills from full managed to pods', () => {
    const streams = streamsOf({ ...one, managedLimits: [2], share: 0 });
    streams.setCapacity(0, 3, 0);
    for (let i = 0; i < 6; i++) streams.start(0, 0);
    expect([streams.inPods(0), streams.managed(), streams.waiting()]).toEqual([3, 2, 1]);
  });

  it('does not spill when it must not', () => {
    const streams = streamsOf({ ...one, managedLimits: [2], share: 0, spillover: false });
    streams.setCapacity(0, 3, 0);
    for (let i = 0; i < 6; i++) streams.start(0, 0);
    expect([streams.inPods(0), streams.managed(), streams.waiting()]).toEqual([0, 2, 4]);
  });

  it('takes another region when its own is full', () => {
    const streams = streamsOf(two);
    streams.setCapacity(1, 5, 0);
    for (let i = 0; i < 6; i++) streams.start(0, 0);
    expect([streams.inPods(0), streams.inPods(1), streams.waitingAt(0)]).toEqual([0, 5, 1]);
  });

  it.each([
    ['out of', 0],
    ['into', 1],
  ])('never goes %s a pinned region', (_, pinned) => {
    const regions = two.regions.map((each, index) => ({ ...each, pinned: index === pinned }));
    const streams = streamsOf({ ...two, regions });
    streams.setCapacity(1, 5, 0);
    for (let i = 0; i < 6; i++) streams.start(0, 0);
    streams.setCapacity(1, 6, 1000);
    expect([streams.inPods(1), streams.waitingAt(0)]).toEqual([0, 6]);
  });

  it('moves to managed when its pod goes away, and waits when that is full too', () => {
    const streams = streamsOf({ ...one, managedLimits: [2] });
    streams.setCapacity(0, 5, 0);
    for (let i = 0; i < 5; i++) streams.start(0, 0);
    streams.setCapacity(0, 1, 1000);
    expect([streams.inPods(0), streams.managed(), streams.waiting(), streams.movedOut()]).toEqual([1, 2, 2, 4]);
  });
});

it('every stream is somewhere, and nobody waits beside a free place that may take them', () => {
  const step = fc.record({
    what: fc.constantFrom('start', 'start', 'start', 'end', 'capacity'),
    at: fc.integer({ min: 0, max: 1 }),
    capacity: fc.integer({ min: 0, max: 12 }),
    pick: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  const shape = fc.record({
    share: fc.constantFrom(0, 0.5, 1),
    managedLimits: fc.constantFrom([], [3], [3, 2]),
    spillover: fc.boolean(),
    pinned: fc.tuple(fc.boolean(), fc.boolean()),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), shape, (steps, { pinned, ...rest }) => {
      const pools = rest.managedLimits.length > 1 ? [0, 1] : [0, 0];
      const regions = pinned.map((isPinned, index) => ({ pinned: isPinned, managedPool: pools[index]! }));
      const streams = streamsOf({ ...rest, regions });
      const capacity = [0, 0];
      for (const [nowMs, { what, at, capacity: places, pick }] of steps.entries()) {
        if (what === 'start') streams.start(at, nowMs);
        else if (what === 'end' && streams.speaking(at) > 0)
          streams.end(at, Math.floor(pick * streams.speaking(at)), nowMs);
        else if (what === 'capacity') {
          capacity[at] = places;
          streams.setCapacity(at, places, nowMs);
        }
        const inPods = streams.inPods(0) + streams.inPods(1);
        expect(inPods + streams.managed() + streams.waiting()).toBe(streams.total());
        expect(streams.speaking(0) + streams.speaking(1)).toBe(streams.total());
        expect(streams.managed()).toBeLessThanOrEqual(rest.managedLimits.reduce((sum, limit) => sum + limit, 0));
        for (const location of [0, 1]) {
          expect(streams.inPods(location)).toBeLessThanOrEqual(capacity[location]!);
          const full = streams.inPods(location) === capacity[location];
          if (rest.spillover && !full) expect(streams.waitingAt(location)).toBe(0);
        }
      }
    }),
  );
});

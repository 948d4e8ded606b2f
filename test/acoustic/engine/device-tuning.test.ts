import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseTuning,
  groupSizes,
  holdsDeadline,
  measureSteps,
  type StepTime,
  streamsCarried,
} from '../../../src/acoustic/engine/device-tuning.ts';
import { LoadFollower, pacesOf } from '../../../src/acoustic/engine/pace.ts';

const strideMs = 20;
const batches = [1, 2, 4, 8, 16, 32, 64];

/** A device whose runs take so long for themselves, for each stream and for each stream's step, ms. */
function device({ run, stream = 0, step }: { run: number; stream?: number; step: number }): StepTime[] {
  return batches.flatMap((batch) =>
    groupSizes.map((steps) => ({ batch, steps, ms: run + batch * (stream + steps * step) })),
  );
}

describe('streams that a device carries', () => {
  it.each([
    ['one stream, one step in 16 ms', { batch: 1, steps: 1, ms: 16 }, 1],
    ['64 streams, 5 steps in 10 ms', { batch: 64, steps: 5, ms: 10 }, 512],
    ['slower than sound', { batch: 1, steps: 1, ms: 20 }, 0],
  ])('%s', (_, time, streams) => expect(streamsCarried(time, strideMs)).toBe(streams));

  it.each([
    [50, true],
    [50.1, false],
  ])('a run of %f ms behind another holds 100 ms: %s', (ms, holds) => {
    expect(holdsDeadline({ batch: 1, steps: 1, ms })).toBe(holds);
  });
});

describe('the tuning of a device', () => {
  it.each([
    ['whose runs cost the same whatever is in them takes all it can', device({ run: 5, step: 0 }), 64, 5],
    ['whose steps cost alike, whoever brings them, takes one at a time', device({ run: 0, step: 0.1 }), 1, 1],
    ['that builds up a stream for its steps groups them', device({ run: 0, stream: 1, step: 0.01 }), 1, 5],
    ['whose large batches miss the deadline stays below', device({ run: 12, step: 0.4 }), 16, 5],
    ['that holds no deadline gets as far as it can', device({ run: 60, step: 10 }), 32, 5],
  ])('%s', (_, times, maxBatch, groupSteps) => {
    expect(chooseTuning(times, strideMs)).toMatchObject({ maxBatch, groupSteps });
  });

  it('says 0 streams of a device that holds no deadline', () => {
    expect(chooseTuning(device({ run: 60, step: 10 }), strideMs).streams).toBe(0);
  });

  it('carries at most a twentieth a choice less than the best that holds the deadline', () => {
    const ms = fc.double({ min: 0.01, max: 80, noNaN: true });
    fc.assert(
      fc.property(fc.array(ms, { minLength: 21, maxLength: 21 }), (values) => {
        const times = device({ run: 0, step: 1 }).map((time, i) => ({ ...time, ms: values[i]! }));
        const { run, streams } = chooseTuning(times, strideMs);
        const holding = times.filter((time) => holdsDeadline(time));
        if (holding.length === 0) expect(streams).toBe(0);
        else {
          expect(holding).toContain(run);
          const best = Math.max(...holding.map(({ batch, steps, ms }) => (batch * steps) / ms));
          expect((run.batch * run.steps) / run.ms).toBeGreaterThanOrEqual(best / 1.05);
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe('measuring a device', () => {
  /** A device of the given cost on a clock of its own, whose first run of each kind takes a second more. */
  function played(cost: (batch: number, steps: number) => number) {
    let nowMs = 0;
    const ran: string[] = [];
    const run = async (batch: number, steps: number) => {
      const kind = `${batch}x${steps}`;
      nowMs += cost(batch, steps) + (ran.includes(kind) ? 0 : 1000);
      ran.push(kind);
    };
    return { run, ran, now: () => nowMs };
  }

  it('leaves the first run of each kind out, and goes on while larger batches pay', async () => {
    const { run, now } = played((batch, steps) => (batch <= 8 ? 10 : 2 * batch) + steps);
    const times = await measureSteps(run, { repetitions: 3, budgetMs: 1e6, maxBatch: 64, now });
    expect(times.map(({ batch }) => batch)).toEqual([1, 2, 4, 8, 16].flatMap((batch) => [batch, batch, batch]));
    expect(times[0]).toEqual({ batch: 1, steps: 1, ms: 11 });
  });

  it('begins no other batch when time is up', async () => {
    const { run, now } = played(() => 400);
    const times = await measureSteps(run, { repetitions: 2, budgetMs: 3000, maxBatch: 64, now });
    expect(times.map(({ batch }) => batch)).toEqual([1, 1, 1]);
  });

  it('tries no batch beyond the largest', async () => {
    const { run, now } = played(() => 1);
    const times = await measureSteps(run, { repetitions: 1, budgetMs: 1e6, maxBatch: 4, now });
    expect(Math.max(...times.map(({ batch }) => batch))).toBe(4);
  });
});

describe('the pace of a device', () => {
  it.each([1, 2, 5])('under load gathers groups of %i steps, as measured', (groupSteps) => {
    const follower = new LoadFollower(0, pacesOf(groupSteps));
    for (let nowMs = 0; nowMs < 5000; nowMs += 50) follower.ran(nowMs + 1, nowMs + 50);
    expect(follower.pace.steps).toBe(groupSteps);
  });
});

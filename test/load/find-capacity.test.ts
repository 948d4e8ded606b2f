import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CapacityStep, findCapacity } from '../../src/load/find-capacity.ts';

const options = { from: 10, most: 1000, resolution: 0.05 };

describe('the search for capacity', () => {
  it('doubles, then halves, then confirms', async () => {
    const found = await search(137);
    expect(found.steps.map(({ learners }) => learners)).toEqual([10, 20, 40, 80, 160, 120, 140, 130, 135, 135]);
    expect(found).toMatchObject({ learners: 135, confirmed: true, limit: 'server' });
  });

  it('of a server that carries more than is tried says at least so many', async () => {
    expect(await search(5000)).toMatchObject({ learners: 1000, confirmed: true, limit: 'most' });
  });

  it('goes down when even the first load is too much', async () => {
    expect(await search(3)).toMatchObject({ learners: 3, confirmed: true, limit: 'server' });
    expect(await search(0)).toMatchObject({ learners: 0, confirmed: false, limit: 'server' });
  });

  it('ends where the generator is at its end, and says no more than it knows', async () => {
    const found = await search(900, (learners) => (learners > 300 ? 'generator' : undefined));
    expect(found).toMatchObject({ learners: 160, confirmed: false, limit: 'generator' });
    expect(found.steps.slice(-4)).toMatchObject(Array(4).fill({ learners: 320, outcome: 'generator' }));
    expect(found.steps.at(-5)).toMatchObject({ learners: 160, outcome: 'carried' });
  });

  it.each([
    ['the first load', 10, 1],
    ['a load amid the search, three times', 120, 3],
    ['the load that is to be confirmed', 135, 2],
  ])('goes on after noise at %s', async (_, noisy, times) => {
    let left = times;
    const found = await search(137, (learners, confirm) =>
      learners === noisy && (noisy !== 135 || confirm) && left-- > 0 ? 'generator' : undefined,
    );
    expect(found).toMatchObject({ learners: 135, confirmed: true, limit: 'server' });
    expect(found.steps).toHaveLength(10 + times);
  });

  it('counts the repetitions of each step anew', async () => {
    const repetitions: number[] = [];
    await findCapacity({ from: 1, most: 2, resolution: 0.05 }, async (learners, confirm, repetition) => {
      repetitions.push(repetition);
      return step(learners, repetition < 2 ? 'generator' : 'carried', confirm);
    });
    expect(repetitions).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });

  it('knows nothing when its first load is never valid', async () => {
    const found = await search(100, () => 'generator');
    expect(found).toMatchObject({ learners: 0, confirmed: false, limit: 'generator' });
    expect(found.steps).toHaveLength(4);
  });

  it('takes back what a longer run does not confirm, and tries below it', async () => {
    const found = await search(100, (learners, confirm) => (confirm && learners > 80 ? 'missed' : undefined));
    expect(found.confirmed).toBe(true);
    expect(found.learners).toBeGreaterThanOrEqual(76);
    expect(found.learners).toBeLessThanOrEqual(80);
  });

  it('of a server that never carries in a longer run what it carried in a short one finds nothing', async () => {
    const found = await search(100, (_, confirm) => (confirm ? 'missed' : undefined));
    expect(found).toMatchObject({ confirmed: false, learners: 0 });
    expect(found.steps.length).toBeLessThan(40);
  });

  it.each(['interrupted', 'cost'] as const)('that is stopped (%s) says by what, and what it had', async (limit) => {
    let left = 3;
    const found = await findCapacity(options, async (learners) =>
      left-- > 0 ? step(learners, 'carried', false) : limit,
    );
    expect(found).toMatchObject({ learners: 40, confirmed: false, limit });
    expect(found.steps).toHaveLength(3);
  });

  it('finds any capacity to within the resolution, in few steps', async () => {
    const capacities = fc.integer({ min: 1, max: 999 });
    await fc.assert(
      fc.asyncProperty(capacities, fc.integer({ min: 1, max: 1000 }), async (capacity, from) => {
        const { learners, confirmed, steps } = await search(capacity, () => undefined, from);
        expect(confirmed).toBe(true);
        expect(learners).toBeLessThanOrEqual(capacity);
        expect(learners).toBeGreaterThanOrEqual(Math.floor(capacity / 1.05) - 1);
        expect(steps.length).toBeLessThan(25);
      }),
    );
  });
});

type Outcome = CapacityStep['outcome'];

/** Against a server that carries `capacity`, unless `otherwise` knows better. */
function search(
  capacity: number,
  otherwise: (learners: number, confirm: boolean) => Outcome | undefined = () => undefined,
  from = 10,
) {
  return findCapacity({ ...options, from }, async (learners, confirm) =>
    step(learners, otherwise(learners, confirm) ?? (learners <= capacity ? 'carried' : 'missed'), confirm),
  );
}

function step(learners: number, outcome: Outcome, long: boolean): CapacityStep {
  return { learners, outcome, long, proven: true, reason: '' };
}

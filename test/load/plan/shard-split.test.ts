import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FaultRequest, planFaults } from '../../../src/load/plan/faults.ts';
import { steadyLoad } from '../../../src/load/plan/load-profile.ts';
import { concurrencyAt, peakConcurrency } from '../../../src/load/plan/peak-concurrency.ts';
import { planHash, planLearners } from '../../../src/load/plan/plan.ts';
import { partOf } from '../../../src/load/plan/shard-split.ts';

const clips = [{ durationMs: 2000, sampleRateHz: 16_000, language: 'en-US' }];
const habits = { frameMs: 20, pause: { leastMs: 100, mostMs: 100 } };
const networks = [
  { network: 'LTE', weight: 1 },
  { network: 'Edge', weight: 1 },
];
const plans = planLearners({ shape: steadyLoad(40, 2000, 10_000), behaviour: habits, seed: 1, clips, networks });
const orders: FaultRequest[] = [
  { kind: 'reconnect', atMs: [5000], learners: { share: 0.5 } },
  { kind: 'stop-server', atMs: [4000], forMs: 500 },
  { kind: 'cut-network', atMs: [3000, 6000], forMs: 100, learners: { share: 1, network: 'Edge' } },
];
const { faults, idle } = planFaults(orders, plans, 1);

describe('the faults of a plan', () => {
  it('come in order of time, each as often as ordered', () => {
    expect(faults.map(({ atMs, kind }) => `${kind} ${atMs}`)).toEqual([
      'cut-network 3000',
      'stop-server 4000',
      'reconnect 5000',
      'cut-network 6000',
    ]);
    expect(idle).toEqual([]);
  });

  it('hit the share of learners that was asked for, and those of the network alone', () => {
    const [cut, , reconnect] = faults;
    expect(reconnect).toMatchObject({ learners: { length: 20 } });
    const onEdge = plans.filter(({ network }) => network === 'Edge').map(({ learner }) => learner);
    expect(cut).toMatchObject({ learners: onEdge });
  });

  it('hit only who is there, at least one of them; nobody there is told apart', () => {
    const early = planFaults([{ kind: 'reconnect', atMs: [1000], learners: { share: 0.01 } }], plans, 1);
    expect(early.faults).toMatchObject([{ learners: { length: 1 } }]);
    const nobody = planFaults([{ kind: 'reconnect', atMs: [10_000], learners: { share: 1 } }], plans, 1);
    expect(nobody.idle).toEqual([[0, 10_000]]);
  });

  it('hit others with another seed', () => {
    expect(planFaults(orders, plans, 2).faults).not.toEqual(faults);
  });
});

it('shards are together exactly the whole: every learner once with all that is its own, every fault on its own learners', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), (count) => {
      const parts = Array.from({ length: count }, (_, k) => partOf(plans, faults, { index: k + 1, count }));
      const joined = parts.flatMap((part) => part.plans).sort((a, b) => a.learner - b.learner);
      expect(joined).toEqual(plans);
      for (const fault of faults) {
        const split = parts.map((part) => part.faults.filter(({ atMs }) => atMs === fault.atMs));
        if (!('learners' in fault)) {
          expect(split.every(([one]) => one === fault)).toBe(true);
          continue;
        }
        const hit = split.flat().flatMap((one) => ('learners' in one ? one.learners : []));
        expect(hit.toSorted((a, b) => a - b)).toEqual(fault.learners);
        for (const [k, part] of parts.entries()) {
          const mine = new Set(part.plans.map(({ learner }) => learner));
          expect(
            split[k]!.every((one) => 'learners' in one && one.learners.every((learner) => mine.has(learner))),
          ).toBe(true);
        }
      }
    }),
  );
});

it('a shard has a hash of its own, and a learner the same schedule in any split', () => {
  const second = partOf(plans, faults, { index: 2, count: 4 });
  expect(planHash(second.plans, second.faults)).not.toBe(planHash(plans, faults));
  expect(partOf(plans, faults, { index: 2, count: 8 }).plans[0]).toBe(second.plans[0]);
});

it('presence counts who has come and not left', () => {
  const three = [
    [0, 10],
    [5, 20],
    [10, 30],
  ].map(([arrivalMs = 0, leaveMs = 0], learner) => ({ ...plans[0]!, learner, arrivalMs, leaveMs }));
  expect(concurrencyAt(three, [0, 5, 9, 10, 19, 20, 30])).toEqual([1, 2, 2, 2, 2, 1, 0]);
  expect(peakConcurrency(three)).toBe(2);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/yaml.ts';
import { canaryFile, canaryOf } from '../../../src/slo/canary/canary.ts';
import { eventsToTell, planCanary, ruleOf } from '../../../src/slo/canary/plan.ts';
import { chanceOfOneWindow, chanceToTrip } from '../../../src/slo/service-level/burn-rule.ts';
import { createBinomialSampler } from '../../../src/stats/binomial-sampler.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';
import { createRandom } from '../../../src/stats/random.ts';

const shipped = readFileSync('slo/canary.yaml', 'utf8');
const canary = canaryOf(parseConfig('slo/canary.yaml', shipped, canaryFile));

describe('the events that tell 1x from 2x with alpha .01 and power .8', () => {
  it.each([
    [0.05, 267],
    [0.01, 1398],
    [0.001, 13_996],
  ])('for a budget of %d: %d', (fine, events) => {
    expect(eventsToTell(fine, 2 * fine, 0.01, 0.8)).toBe(events);
  });

  it('are the fewest with both errors', () => {
    const has = (n: number) => {
      const limits = Array.from({ length: n }, (_, c) => c);
      return limits.some((c) => 1 - binomialCdf(c, n, 0.1) <= 0.05 && 1 - binomialCdf(c, n, 0.3) >= 0.9);
    };
    const fewest = eventsToTell(0.1, 0.3, 0.05, 0.9);
    expect(has(fewest)).toBe(true);
    for (let n = 1; n < fewest; n++) expect(has(n), `${n} events`).toBe(false);
  });
});

describe('the binomial sampler', () => {
  it.each([
    [60, 0.01],
    [60_000, 0.02],
    [5, 1],
    [5, 0],
  ])('of %d trials of chance %d has its mean and spread', (trials, chance) => {
    const draw = createBinomialSampler(createRandom(7), trials, chance);
    const draws = Array.from({ length: 20_000 }, draw);
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
    const expected = trials * chance * (1 - chance);
    expect(Math.abs(mean - trials * chance)).toBeLessThanOrEqual(5 * Math.sqrt(expected / draws.length));
    expect(Math.abs(variance - expected)).toBeLessThanOrEqual(0.06 * expected);
  });
});

describe('the plan of the rollout that ships', () => {
  let made: ReturnType<typeof planCanary> | undefined;
  /** Made by the first test that wants it: a plan takes a second. */
  const planned = () => {
    made ??= planCanary(canary);
    return made;
  };

  it('says what each step sees, in both readings', () => {
    const plan = planned();
    const [first] = plan.steps;
    expect(first).toMatchObject({ share: 0.05, eventsPerMinute: 60, windowEvents: 600, allowedBad: 12 });
    expect(first!.oneWindow.falseRollback).toBeCloseTo(0.008492, 6);
    expect(first!.rule).toBe(first!.readings.window);
    expect(first!.readings.consecutive.power.value).toBeCloseTo(0.1874, 4);
    expect(plan.eventsNeeded).toBe(1398);
    expect(first!.decidedInMs.fixed).toBeCloseTo(1398 * 1000, 0);
  });

  it('joins the steps: one of them may roll back', () => {
    const plan = planned();
    const none = plan.steps.reduce((product, step) => product * (1 - step.rule.falseRollback.value), 1);
    expect(plan.falseRollback).toBeCloseTo(1 - none, 12);
    expect(plan.falseRollback).toBeGreaterThanOrEqual(plan.steps[0]!.rule.falseRollback.value);
    expect(plan.power).toBeGreaterThan(0.9999);
    expect(plan.power).toBeLessThanOrEqual(1);
  });

  it('gives each step its share of the traffic and its time', () => {
    const { steps, sequentialEvents } = planned();
    expect(steps.map(({ share, holdMs, eventsPerMinute }) => [share, holdMs, eventsPerMinute])).toEqual([
      [0.05, 1_800_000, 60],
      [0.25, 1_800_000, 300],
      [1, 3_600_000, 1200],
    ]);
    expect(steps.map(({ windowEvents, allowedBad }) => [windowEvents, allowedBad])).toEqual([
      [600, 12],
      [3000, 60],
      [12_000, 240],
    ]);
    // Wald's mean sample numbers, a second each at 60 a minute.
    expect(sequentialEvents.whenFine).toBeCloseTo(498.55, 1);
    expect(sequentialEvents.whenWorse).toBeCloseTo(864.9, 1);
    expect(steps[0]!.decidedInMs.sequentialWhenFine).toBeCloseTo(498_550, -2);
    expect(steps[1]!.decidedInMs.sequentialWhenWorse).toBeCloseTo(864_900 / 5, -2);
    expect(steps[0]!.oneWindow.power).toBeCloseTo(0.9953, 4);
  });
});

describe('a plan', () => {
  const minute = 60_000;
  const rollback = { burn: 2, forMs: 5 * minute, everyMs: minute, mode: 'consecutive' } as const;
  const steps = [
    { share: 0.1, holdMs: 5 * minute },
    { share: 0.5, holdMs: 7.5 * minute },
  ];
  const small = { ...canary, target: 0.95, eventsPerMinute: 600, steps, rollback };

  it('of each step is what the rule does with its events', () => {
    const plan = planCanary(small);
    const rule = { target: 0.95, burn: 2, mode: 'consecutive', intervals: 5 } as const;
    const chances = (mode: 'window' | 'consecutive', events: number, intervals: number) => ({
      falseRollback: chanceToTrip({ ...rule, mode }, events, 1 - 0.95, intervals),
      power: chanceToTrip({ ...rule, mode }, events, 4 * (1 - 0.95), intervals),
    });
    const [{ whenFine, whenWorse }, needed] = [plan.sequentialEvents, plan.eventsNeeded];
    expect(needed).toBe(267);
    expect(plan.steps).toEqual(
      [
        { share: 0.1, holdMs: 5 * minute, perMinute: 60, allowed: 30, intervals: 5 },
        { share: 0.5, holdMs: 7.5 * minute, perMinute: 300, allowed: 150, intervals: 7 },
      ].map(({ share, holdMs, perMinute, allowed, intervals }) => ({
        share,
        holdMs,
        eventsPerMinute: perMinute,
        windowEvents: 5 * perMinute,
        allowedBad: allowed,
        oneWindow: {
          falseRollback: chanceOfOneWindow(rule, 5 * perMinute, 1 - 0.95),
          power: chanceOfOneWindow(rule, 5 * perMinute, 4 * (1 - 0.95)),
        },
        readings: {
          window: chances('window', perMinute, intervals),
          consecutive: chances('consecutive', perMinute, intervals),
        },
        rule: chances('consecutive', perMinute, intervals),
        decidedInMs: {
          fixed: (needed / perMinute) * minute,
          sequentialWhenFine: (whenFine / perMinute) * minute,
          sequentialWhenWorse: (whenWorse / perMinute) * minute,
        },
      })),
    );
    const [first, second] = plan.steps.map((step) => step.rule);
    expect(plan.power).toBeCloseTo(1 - (1 - first!.power.value) * (1 - second!.power.value), 12);
    const neither = (1 - first!.falseRollback.value) * (1 - second!.falseRollback.value);
    expect(plan.falseRollback).toBeCloseTo(1 - neither, 12);
    expect(plan.canary).toBe(small);
  });

  it('finds no more than that every event is bad', () => {
    const lost = planCanary({ ...small, target: 0.4, rollback: { ...rollback, burn: 1.5 }, steps: steps.slice(0, 1) });
    expect(lost.steps[0]!.oneWindow.power).toBe(1);
    expect(lost.steps[0]!.readings.consecutive.power).toEqual({ value: 1, standardError: 0 });
    // 60 % from nearly 100 %: ten events, all of them bad, have a chance of .6^10 = .6 %.
    expect(lost.eventsNeeded).toBe(10);
    expect(Number.isFinite(lost.sequentialEvents.whenWorse)).toBe(true);
  });

  it.each([
    [600_000, 60_000, 10],
    [60_000, 60_000, 1],
    [20_000, 60_000, 1],
    [150_000, 60_000, 3],
  ])('looks at a window of %d ms, every %d ms, in %d intervals', (forMs, everyMs, intervals) => {
    const rule = ruleOf({ target: 0.99, rollback: { ...rollback, forMs, everyMs } });
    expect(rule).toEqual({ target: 0.99, burn: 2, mode: 'consecutive', intervals });
  });
});

import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/yaml.ts';
import { canaryFile, canaryJsonSchema, canaryOf } from '../../../src/slo/canary/canary.ts';
import { eventsToTell, planCanary } from '../../../src/slo/canary/plan.ts';
import { createBinomialSampler } from '../../../src/stats/binomial-sampler.ts';
import { binomialCdf } from '../../../src/stats/distributions.ts';
import { createRandom } from '../../../src/stats/random.ts';
import { problemsOf } from '../../kit/problems.ts';

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
  const plan = planCanary(canary);

  it('says what each step sees, in both readings', () => {
    const [first] = plan.steps;
    expect(first).toMatchObject({ share: 0.05, eventsPerMinute: 60, windowEvents: 600, allowedBad: 12 });
    expect(first!.oneWindow.falseRollback).toBeCloseTo(0.008492, 6);
    expect(first!.rule).toBe(first!.readings.window);
    expect(first!.readings.consecutive.power.value).toBeCloseTo(0.1874, 4);
    expect(plan.eventsNeeded).toBe(1398);
    expect(first!.decidedInMs.fixed).toBeCloseTo(1398 * 1000, 0);
  });

  it('joins the steps: one of them may roll back', () => {
    const none = plan.steps.reduce((product, step) => product * (1 - step.rule.falseRollback.value), 1);
    expect(plan.falseRollback).toBeCloseTo(1 - none, 12);
    expect(plan.falseRollback).toBeGreaterThanOrEqual(plan.steps[0]!.rule.falseRollback.value);
  });
});

describe('a canary file', () => {
  it('fits the published JSON Schema, which is current', () => {
    const published: object = JSON.parse(readFileSync('schemas/canary.schema.json', 'utf8'));
    expect(published).toEqual(JSON.parse(JSON.stringify(canaryJsonSchema())));
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(shipped)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    [
      'no reading',
      ', mode: window',
      '',
      /:24:13: spec\.rollback\.mode: is missing: "burn above 2 for 10m" reads two ways; allowed: window .*consecutive/,
    ],
    ['an unknown reading', 'mode: window', 'mode: avg', /spec\.rollback\.mode: "avg": "burn above/],
    ['steps that go back', 'share: 25%', 'share: 4%', /spec\.steps\.1\.share: is not above 5 %, the step before/],
    [
      'a burn that cannot be',
      'burn: 2',
      'burn: 200',
      /spec\.rollback\.burn: can never be exceeded: at a target of 99 % the burn is at most 100/,
    ],
    [
      'a step that ends before the rule can trip',
      'share: 25%, hold: 30m',
      'share: 25%, hold: 5m',
      /spec\.steps\.1\.hold: 5 m ends before the rollback rule has seen its 10 m: it can never trip here/,
    ],
    ['a burn that is a word', 'burn: 2', 'burn: two', /spec\.rollback\.burn: "two" is not a number such as 2/],
    ['a broken interval', 'every: 1m', 'every: 3m', /spec\.rollback\.for: is not a whole number of intervals/],
    ['a promise of 100 %', 'target: 99%', 'target: 100%', /spec\.target: "100%" leaves no error budget/],
    [
      'no traffic',
      'traffic: 1200/min',
      'traffic: 0/min',
      /spec\.traffic: "0\/min" is no traffic: nothing could ever be judged/,
    ],
    [
      'traffic without a unit',
      'traffic: 1200/min',
      'traffic: "1200"',
      /spec\.traffic: rate "1200" has no unit; allowed: \/s, \/min, \/h/,
    ],
  ])('with %s is refused at its line', (_, from, to, message) => {
    expect(shipped).toContain(from);
    expect(problemsIn(shipped.replace(from, to))).toMatch(message);
  });
});

function problemsIn(yaml: string): string {
  return problemsOf(() => parseConfig('canary.yaml', yaml, canaryFile));
}

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseSweep } from '../../../src/capacity/plan/sweep.ts';
import { overrideField } from '../../../src/config/override.ts';

describe('--sweep', () => {
  it.each([
    ['spike.factor=1..5', 'spike.factor', [1, 2, 3, 4, 5]],
    ['spike.factor=1..2/0.5', 'spike.factor', [1, 1.5, 2]],
    ['headroom=10%..50%/20%', 'headroom', ['10%', '30%', '50%']],
    ['headroom=10%..30/10', 'headroom', ['10%', '20%', '30%']],
    ['pod.startup=30s,60s, 2m', 'pod.startup', ['30s', '60s', '2m']],
    ['pod.streams=60,120', 'pod.streams', [60, 120]],
    ['selfHosted.price=$1/h,$2/h', 'selfHosted.price', ['$1/h', '$2/h']],
    ['scaling.kind=hpa,keda', 'scaling.kind', ['hpa', 'keda']],
    ['x=0.1..0.3/0.1', 'x', [0.1, 0.2, 0.3]],
    ['x=3..3', 'x', [3]],
  ])('%s', (text, key, values) => expect(parseSweep(text)).toEqual({ key, values }));

  it.each([
    ['spike.factor', 'is not key=values'],
    ['=1..5', 'is not key=values'],
    ['x=5..1', 'goes nowhere from 5 to 1 by 1'],
    ['x=1..5/0', 'goes nowhere from 1 to 5 by 0'],
    ['x=1s..5m', 'mixes units; write s at every number'],
    ['x=1..100000', 'has 100000 values; at most 100 are run'],
    ['x=1,,2', 'has an empty value'],
    ['x=1.2.3..5', 'has a bound that is no number'],
  ])('%s %s', (text, message) => expect(() => parseSweep(text)).toThrow(message));
});

describe('a field set to another value', () => {
  const source = [
    'kind: LatencyBudget',
    'spec: {pod: {streams: 7}}',
    '---',
    'kind: CapacityScenario # ours',
    'spec:',
    '  demand: {peakUsers: 5, spike: {factor: 3}}',
    '  pod: {streams: 10}',
    '  headroom: 30%',
    '',
  ].join('\n');
  const set = (key: string, value: string | number) =>
    parse(overrideField(source, 'CapacityScenario', key, value).split('---\n')[1]!).spec;

  it.each([['spec.demand.spike.factor'], ['demand.spike.factor'], ['spike.factor']])('may be named as %s', (key) =>
    expect(set(key, 9).demand.spike.factor).toBe(9),
  );

  it('keeps every other document as it was', () => {
    const [budget] = overrideField(source, 'CapacityScenario', 'pod.streams', 9).split('---\n');
    expect(parse(budget!).spec.pod.streams).toBe(7);
  });

  it('may be one that is left to its default, beside one that is not', () => {
    expect(set('pod.startup', '60s').pod).toEqual({ streams: 10, startup: '60s' });
    expect(set('spike.ramp', '60s').demand.spike).toEqual({ factor: 3, ramp: '60s' });
  });

  it('must exist', () => {
    expect(() => set('headrom', '5%')).toThrow('"headrom" is not a field of this file (did you mean "headroom"?)');
  });
});

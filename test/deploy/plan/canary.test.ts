import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseDocuments } from '../../../src/config/documents.ts';
import type { FigureText } from '../../../src/deploy/document/figure.ts';
import { canaryFigures } from '../../../src/deploy/plan/canary.ts';
import { canaryFile, canaryOf } from '../../../src/slo/canary/canary.ts';
import { sequentialTest } from '../../../src/stats/sprt.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('SKIPPED: the queries of a canary were not evaluated: there is no promtool');

it('promtool is there on CI', () => {
  if (process.env.CI) expect(hasPromtool).toBe(true);
});

const source = readFileSync('slo/canary.yaml', 'utf8');
const [document] = parseDocuments('canary.yaml', source, 'CanaryAnalysis', canaryFile);
const canary = canaryOf(document!.value);
const figures = canaryFigures({ value: canary, at: document!.at });
const folder = temporaryDirectory();

describe.skipIf(!hasPromtool)('the query of the analysis is the arithmetic of speechfb canary judge', () => {
  it.each([
    ['a version as good as its budget', { bad: 0.01, before: 0.001, perMinute: 6000 }],
    ['one twice as bad', { bad: 0.02, before: 0.001, perMinute: 6000 }],
    ['one as bad as an old version beyond its budget', { bad: 0.04, before: 0.04, perMinute: 6000 }],
    ['one beside an old version that loses nearly everything', { bad: 0.9, before: 0.8, perMinute: 6000 }],
    ['one without a bad event', { bad: 0, before: 0, perMinute: 12_000 }],
  ])('%s', (_, { bad, before, perMinute }) => {
    const units = (perMinute * 30) / canary.eventsPerUnit!;
    const fine = Math.max(1 - canary.target, before);
    const worse = Math.min(canary.sequential.worse * fine, (1 + fine) / 2);
    const { logRatio } = sequentialTest({ ...canary.sequential, fine, worse }, bad * units, units);
    const [near] = evaluated(`abs(log_ratio - (${logRatio})) < bool ${Math.abs(logRatio) * 1e-6 + 1e-6}`, {
      canary: { bad, perMinute },
      stable: { bad: before, perMinute },
    });
    expect(near).toBe(1);
  });

  it.each([
    ['too few units', { canary: { bad: 0.5, perMinute: 500 }, stable: { bad: 0, perMinute: 6000 } }],
    ['no event at all', { stable: { bad: 0, perMinute: 6000 } }],
  ])('says nothing of %s', (_, arms) => expect(evaluated('log_ratio', arms)).toEqual([]));

  it.each([
    [
      'trips where the new version alone burns',
      { canary: { bad: 0.05, perMinute: 600 }, stable: { bad: 0, perMinute: 600 } },
      [1],
    ],
    [
      'says nothing where the old one burns as fast',
      { canary: { bad: 0.05, perMinute: 600 }, stable: { bad: 0.05, perMinute: 600 } },
      [],
    ],
    ['is calm where nothing burns', { canary: { bad: 0.01, perMinute: 600 }, stable: { bad: 0, perMinute: 600 } }, [0]],
  ])('the rollback rule %s', (_, arms, expected) =>
    expect(evaluated(`burn > bool ${figures.burnShare.value}`, arms)).toEqual(expected),
  );
});

it('judges by the bounds of Wald', () => {
  const { lower, upper } = sequentialTest({ ...canary.sequential, fine: 0.01, worse: 0.02 }, 0, 0);
  expect(figures.fine.value).toBeCloseTo(lower, 3);
  expect(figures.worse.value).toBeCloseTo(upper, 3);
  expect(figures.steps.map(({ weight, rest }) => [weight.value, rest.value])).toEqual([
    [5, 95],
    [25, 75],
    [100, 0],
  ]);
});

type Arms = { canary?: Arm; stable: Arm };
type Arm = { bad: number; perMinute: number };

/** What a Prometheus makes of an expression over half an hour of both versions. */
function evaluated(expression: string, arms: Arms): number[] {
  const { logRatio, burn, baselineBurn } = figures.queries;
  const asAnalysis = (query: string) =>
    query.replaceAll('{{args.window}}', '30m').replaceAll('{{args.seconds}}', '1800');
  const rules = [
    { record: 'log_ratio', expr: asAnalysis(textOf(logRatio)) },
    { record: 'burn', expr: `${textOf(burn)} unless (${textOf(baselineBurn)} > ${figures.burnShare.value})` },
  ];
  writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'canary', rules }] }));
  const series = Object.entries(arms).flatMap(([track, { bad, perMinute }]) => [
    {
      series: `speechfb_feedback_seconds_count{type="phoneme_feedback",track="${track}"}`,
      values: `0+${perMinute}x40`,
    },
    {
      series: `speechfb_feedback_seconds_bucket{type="phoneme_feedback",track="${track}",le="0.1"}`,
      values: `0+${perMinute * (1 - bad)}x40`,
    },
  ]);
  // promtool says what it got where it expected something else.
  const test = { expr: expression, eval_time: '35m', exp_samples: [{ labels: '{nobody="has this"}', value: 0 }] };
  const file = join(folder, 'test.yaml');
  writeFileSync(
    file,
    stringify({
      rule_files: ['rules.yaml'],
      evaluation_interval: '1m',
      tests: [{ interval: '1m', input_series: series, promql_expr_test: [test] }],
    }),
  );
  const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  const got = /got:(.*)/.exec(stdout + stderr);
  expect(status, stdout + stderr).toBe(1);
  expect(got, stdout + stderr).not.toBeNull();
  return [...got![1]!.matchAll(/\} (\S+)/g)].map(([, value]) => Number(value));
}

function textOf({ parts }: FigureText): string {
  return parts.map((part) => (typeof part === 'string' ? part : String(part.value))).join('');
}

import { describe, expect, it } from 'vitest';
import { curveFileFor, streamsByCurve } from '../../src/capacity/scenario/curve.ts';
import { parseConfig } from '../../src/config/yaml.ts';
import { curveOf, type MeasuredStep, stepOf } from '../../src/load/capacity-step.ts';
import type { LoadReport } from '../../src/results/report.ts';
import { report } from '../kit/report-fixture.ts';

const stepMs = 10_000;

describe('a step of the search for capacity', () => {
  it('knows how many of its learners spoke at one time, and what of it was scored', () => {
    const step = measured({ samples: 1600, never: 100 });
    expect(step).toMatchObject({ learners: 20, speaking: 16, throughput: 15, samples: 1600, never: 100 });
  });

  it.each<[string, Partial<LoadReport>, Partial<MeasuredStep>]>([
    ['is carried when every objective is met', judged('pass'), { outcome: 'carried', proven: true, reason: '' }],
    [
      'is carried when some are met by too few samples, and names them',
      judged('pass', 'invalid', 'invalid'),
      { outcome: 'carried', proven: false, reason: 'objective 1, objective 2' },
    ],
    [
      'is missed when one objective is',
      judged('invalid', 'fail'),
      { outcome: 'missed', reason: 'objective 1: 3 of 5 missed' },
    ],
    [
      'says nothing of the server when the generator was late',
      { ...judged('fail'), validity: [{ check: 'send lateness', ok: false, detail: 'p99 12 ms' }] },
      { outcome: 'generator', reason: 'send lateness: p99 12 ms; objective 0: 3 of 5 missed' },
    ],
    [
      'is missed when nobody was let in',
      { ...judged('invalid'), validity: [{ check: 'feedback due', ok: false, detail: 'none' }] },
      { outcome: 'missed', reason: 'no feedback came' },
    ],
  ])('%s', (_, changed, expected) => {
    expect(measured({ samples: 1600, never: 0 }, changed)).toMatchObject(expected);
  });
});

const late = { validity: [{ check: 'send lateness', ok: false, detail: 'p99 12 ms' }] };

describe('the curve of a search', () => {
  const steps = [
    { ...measured({ samples: 800, never: 0 }), learners: 10, p95Ms: 100 },
    { ...measured({ samples: 3200, never: 300 }), learners: 40, p95Ms: Number.POSITIVE_INFINITY },
    { ...measured({ samples: 1600, never: 0 }), learners: 20, p95Ms: 200 },
    { ...measured({ samples: 3200, never: 0 }, {}, 2 * stepMs), learners: 20, p95Ms: 210 },
    { ...measured({ samples: 0, never: 0 }), learners: 60 },
    { ...measured({ samples: 3200, never: 0 }, late, 2 * stepMs), learners: 10, p95Ms: 900 },
  ];
  const curve = parseConfig('curve.json', JSON.stringify(curveOf(steps, 'here')), curveFileFor(limit(500)));

  it('has a point for each load in order, the later of two that are valid, and streams that are learners who speak', () => {
    expect(curve.points.map(({ streams, learners, p95_ms, valid }) => [streams, learners, p95_ms, valid])).toEqual([
      [8, 10, 100, true],
      [16, 20, 210, true],
      [32, 40, null, true],
      [60, 60, 45, false],
    ]);
  });

  it.each([
    [500, 16],
    [205, 8],
    [50, 0],
  ])('is read by capacity: at p95 of %i ms %i streams', (ms, streams) => {
    expect(streamsByCurve(curve.points, limit(ms)).streams).toBe(streams);
  });
});

function limit(valueMs: number) {
  return { percentile: 95, valueMs };
}

function measured(
  { samples, never }: { samples: number; never: number },
  changed: Partial<LoadReport> = {},
  ms = stepMs,
): MeasuredStep {
  const distribution = {
    samples,
    never,
    meanMs: 40,
    p50Ms: 40,
    p90Ms: 43,
    p95Ms: 45,
    p99Ms: 60,
    p999Ms: 70,
    maxMs: 80,
  };
  const distributions = { ...report.distributions, feedback_latency: distribution };
  return stepOf({ ...report, validity: [], objectives: [], distributions, ...changed }, 20, ms, ms > stepMs);
}

function judged(...verdicts: ('pass' | 'fail' | 'invalid')[]): Partial<LoadReport> {
  const objectives = verdicts.map((verdict, i) => ({
    ...report.objectives[0]!,
    objective: `objective ${i}`,
    verdict,
    reason: '3 of 5 missed',
  }));
  return { objectives };
}

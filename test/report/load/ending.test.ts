import { describe, expect, it } from 'vitest';
import { endingLines, endingOf } from '../../../src/report/load/ending.ts';
import type { LoadReport } from '../../../src/results/report.ts';
import type { ObjectiveVerdict } from '../../../src/slo/objective/objective-verdict.ts';
import { report } from '../../kit/report-fixture.ts';

const [late, unproven] = report.objectives as [ObjectiveVerdict, ObjectiveVerdict];
const sound = { validity: [], sessionErrors: [] };

describe('a run that missed says by how much', () => {
  it.each<[Partial<ObjectiveVerdict>, string]>([
    [{ value: 640 }, 'p95(feedback_latency) < 500ms: measured 640 ms, 140 ms too much; 300 of 4060 missed'],
    [{ value: 500 }, 'p95(feedback_latency) < 500ms: measured 500 ms, exactly the bound; 300 of 4060 missed'],
    [
      { objective: 'availability >= 99.9%', unit: 'share', value: 0.98, bound: 0.999 },
      'availability >= 99.9%: measured 98 %, 1.9 % too little; 300 of 4060 missed',
    ],
    [
      { objective: 'lost_frames == 0', unit: 'count', value: 3, bound: 0 },
      'lost_frames == 0: measured 3, 3 too much; 300 of 4060 missed',
    ],
  ])('%j: %s', (changed, sentence) => {
    const objectives = [{ ...late, ...changed }, unproven];
    expect(endingOf(reportOf({ verdict: 'fail', objectives })).why).toEqual([sentence]);
  });

  it('and names the stage only where latency of feedback was missed', () => {
    const objectives = [{ ...late, metric: 'availability', unit: 'share', value: 0.5, bound: 0.9 } as const];
    expect(endingOf(reportOf({ verdict: 'fail', objectives })).advice).toEqual([
      expect.stringContaining('--find-capacity'),
    ]);
  });
});

it('a run that its cost has ended says so first, and what to do', () => {
  const aborted = { objective: 'cost.most', atMs: 2000, reason: 'the sound sent has cost $6' };
  const objectives = [{ ...late, verdict: 'pass' as const }];
  expect(endingOf(reportOf({ verdict: 'fail', aborted, objectives }))).toEqual({
    why: ['cost.most: ended the test at 2.00 s: the sound sent has cost $6'],
    advice: [expect.stringContaining('spec.cost.most')],
  });
  expect(endingOf(reportOf({ verdict: 'fail', aborted, objectives: [late] })).why).toHaveLength(2);
});

describe('an invalid run says why and what to do', () => {
  it('when its generator was late, whatever its objectives say', () => {
    const validity = [{ check: 'send lateness', ok: false, detail: 'p99 12.0 ms, at most 10 ms' }];
    const { why, advice } = endingOf(reportOf({ verdict: 'invalid', validity }));
    expect(why).toEqual(['send lateness: p99 12.0 ms, at most 10 ms']);
    expect(advice).toEqual([expect.stringMatching(/^end what else runs on this machine/)]);
  });

  it('once for two conditions with one cure, and each where the cures differ', () => {
    const validity = ['send lateness', 'generators busy', 'faults happened'].map((check) => ({
      check,
      ok: false,
      detail: '',
    }));
    expect(endingOf(reportOf({ verdict: 'invalid', validity })).advice).toHaveLength(2);
  });

  it('when samples lack: how long or how many learners have them', () => {
    const objectives = [{ ...unproven, samples: 2000, needsMore: 1000 }];
    const { why, advice } = endingOf(reportOf({ verdict: 'invalid', objectives, warmupMs: 5000 }));
    expect(why).toEqual(['availability >= 99.9%: not proven; needs 12 more samples, none a miss']);
    // Of 25 s, 20 count: 30 would do.
    expect(advice).toEqual(['run for 35 s (--duration 35s) or with 30 learners']);
  });

  it.each([
    ['has no data', { value: undefined, samples: 0, needsMore: undefined, reason: 'no data' }],
    ['can never be proven', { needsMore: Number.POSITIVE_INFINITY }],
  ])('when an objective %s, without a number', (_, changed) => {
    const { advice } = endingOf(reportOf({ verdict: 'invalid', objectives: [{ ...unproven, ...changed }] }));
    expect(advice).toEqual([expect.not.stringMatching(/\d/)]);
  });
});

it('a pass needs no words', () => {
  expect(endingLines(reportOf({ verdict: 'pass' }))).toEqual([]);
});

function reportOf(changed: Partial<LoadReport>): LoadReport {
  return { ...report, ...sound, ...changed };
}

import { describe, expect, it } from 'vitest';
import { compareLearners, type ShadowFigure } from '../../src/shadow/compare.ts';
import { LearnerLedger } from '../../src/shadow/learners.ts';
import type { ShadowRecord } from '../../src/shadow/record.ts';
import { createRandom } from '../../src/stats/random.ts';
import { shadowRecordOf, shadowSide } from '../kit/shadow-records.ts';

function compared(records: readonly ShadowRecord[], by: 'shadow' | 'variant' = 'shadow') {
  const ledger = new LearnerLedger({ by, taskWer: 0.1 });
  for (const record of records) ledger.add(record);
  const { figures, ...rest } = compareLearners(ledger.learners, by === 'shadow');
  const byName: Partial<Record<ShadowFigure['figure'], ShadowFigure>> = {};
  for (const figure of figures) byName[figure.figure] = figure;
  return { ...rest, ...byName };
}

const learners = (number: number, over: (learner: number) => Partial<ShadowRecord>) =>
  Array.from({ length: number }, (_, learner) => shadowRecordOf(learner, over(learner)));

describe('a shadow beside what was served', () => {
  it('that writes the same is the same in all but what nobody can know of so few', () => {
    const same = compared(learners(400, () => ({})));
    expect(same).toMatchObject({
      wer: { baseline: 0.1, candidate: 0.1, shift: 0, verdict: 'same', learners: 400 },
      task_success: { baseline: 1, candidate: 1, verdict: 'same' },
      final_ms: { baseline: 300, shift: 0, lower: 0, upper: 0, verdict: 'same' },
      dollars_per_minute: { shift: 0, verdict: 'same' },
      between: { value: 0, learners: 400 },
    });
    expect(compared(learners(4, () => ({}))).wer).toMatchObject({ verdict: 'undecided' });
    expect(compared(learners(1, () => ({}))).wer).toMatchObject({ lower: -Infinity, verdict: 'undecided' });
  });

  it('with more wrong words, later and dearer, is worse, and less of each is better', () => {
    const worse = { shadow: shadowSide({ backend: 'next', wrong: 3, final_ms: 420, dollars: 0.0003 }) };
    const found = compared(learners(100, () => worse));
    expect(found).toMatchObject({
      wer: { candidate: 0.3, verdict: 'worse' },
      task_success: { candidate: 0, verdict: 'worse' },
      final_ms: { shift: 120, verdict: 'worse' },
      dollars_per_minute: { verdict: 'worse' },
    });
    const turned = learners(100, () => ({ served: shadowSide({ wrong: 3, final_ms: 420, dollars: 0.0003 }) }));
    expect(compared(turned)).toMatchObject({
      wer: { verdict: 'better' },
      task_success: { verdict: 'better' },
      final_ms: { shift: -120, verdict: 'better' },
      dollars_per_minute: { verdict: 'better' },
    });
  });

  it('that wrote nothing has every word wrong, no task done, and never is slower than any time', () => {
    const failed = shadowSide({ backend: 'next', words: 0, wrong: null, final_ms: null, failed: 'fault' });
    expect(compared(learners(50, () => ({ shadow: failed, between: null })))).toMatchObject({
      wer: { candidate: 1, verdict: 'worse' },
      task_success: { candidate: 0, verdict: 'worse' },
      final_ms: { candidate: Infinity, shift: Infinity, verdict: 'worse' },
      never: { candidate: 1, verdict: 'worse' },
      between: undefined,
    });
  });

  it('takes learners as what is independent: a thousand utterances of two prove nothing', () => {
    const many = Array.from({ length: 1000 }, (_, utterance) =>
      shadowRecordOf(utterance % 2, { utterance, shadow: shadowSide({ wrong: 2 - (utterance % 2) }) }),
    );
    expect(compared(many).wer).toMatchObject({ verdict: 'undecided', learners: 2 });
  });

  it('asks nothing of texts that nobody knows, and compares both all the same', () => {
    const unknown = {
      words: null,
      served: shadowSide({ wrong: null }),
      shadow: shadowSide({ wrong: null }),
      between: 2,
    };
    const found = compared(learners(40, () => unknown));
    expect([found.wer, found.task_success]).toEqual([undefined, undefined]);
    expect(found.between).toMatchObject({ value: 0.2 });
    expect(found.final_ms).toMatchObject({ verdict: 'same' });
  });

  it('that is no other says worse or better of words in a twentieth of all logs at most', () => {
    const random = createRandom(99);
    const logs = 300;
    let wrongly = 0;
    for (let log = 0; log < logs; log++) {
      const draw = () => Math.round(Math.max(0, 1.5 + random.normal()));
      const records = learners(60, () => ({
        served: shadowSide({ wrong: draw() }),
        shadow: shadowSide({ wrong: draw() }),
      }));
      if (/worse|better/.test(compared(records).wer!.verdict)) wrongly++;
    }
    expect(wrongly / logs).toBeLessThan(0.05);
  });
});

describe('a canary beside the rest', () => {
  const side = (variant: 'canary' | 'baseline', first: number, number: number, wrong: (learner: number) => number) =>
    Array.from({ length: number }, (_, at) => {
      const served = shadowSide({ backend: variant === 'canary' ? 'next' : 'own', wrong: wrong(at) });
      return shadowRecordOf(first + at, { variant, canary: 'c', served, shadow: null, between: null });
    });

  it('is compared with learners who are others', () => {
    const alike = (at: number) => at % 3;
    const found = compared([...side('baseline', 0, 2000, alike), ...side('canary', 5000, 2000, alike)], 'variant');
    expect(found).toMatchObject({
      wer: { verdict: 'same', learners: 4000 },
      between: undefined,
      learners: { baseline: 2000, candidate: 2000 },
    });
    const bad = compared([...side('baseline', 0, 400, alike), ...side('canary', 500, 100, () => 4)], 'variant');
    expect(bad.wer).toMatchObject({ verdict: 'worse' });
    expect(bad.task_success).toMatchObject({ verdict: 'worse' });
  });

  it('has nothing to compare where no session was of a canary', () => {
    expect(
      compared(
        learners(10, () => ({})),
        'variant',
      ),
    ).toMatchObject({ learners: { baseline: 0, candidate: 0 } });
    expect(
      compared(
        learners(10, () => ({})),
        'variant',
      ).wer,
    ).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { addClusterSums, type ClusterSums, emptyClusterSums, sessionSums } from '../../../src/metrics/cluster-sums.ts';
import { parseObjective } from '../../../src/slo/objective/expression.ts';
import { judge } from '../../../src/slo/objective/verdict.ts';
import { createRandomStream } from '../../../src/stats/random-stream.ts';
import { emptyMeasurements } from '../../kit/measurements.ts';

type Session = { errors: number; words: number };

/** Sessions of different lengths, some of them on a bad line. */
function sessionsOf(count: number, rate: number, seed: number): Session[] {
  const random = createRandomStream(seed, 1);
  return Array.from({ length: count }, () => {
    const words = 40 + Math.floor(random() * 120);
    const own = rate * (random() < 0.2 ? 3 : 0.5);
    let errors = 0;
    for (let k = 0; k < words; k++) if (random() < own) errors += random() < 0.1 ? 2 : 1;
    return { errors, words };
  });
}

function rateOf(sessions: readonly Session[]): number {
  const total = (of: (session: Session) => number) => sessions.reduce((sum, one) => sum + of(one), 0);
  return total((one) => one.errors) / total((one) => one.words);
}

/** The 95 % quantile of the rate of as many sessions, drawn with replacement again and again. */
function bootstrapBound(sessions: readonly Session[], seed: number, draws = 4000): number {
  const random = createRandomStream(seed, 2);
  const rates = Array.from({ length: draws }, () => {
    let errors = 0;
    let words = 0;
    for (let k = 0; k < sessions.length; k++) {
      const drawn = sessions[Math.floor(random() * sessions.length)]!;
      errors += drawn.errors;
      words += drawn.words;
    }
    return errors / words;
  });
  return rates.sort((a, b) => a - b)[Math.floor(0.95 * rates.length)]!;
}

/** `shards`: the same sessions as several machines measured them. */
function judged(sessions: readonly Session[], bound: string, shards: readonly (readonly Session[])[] = [sessions]) {
  const objective = parseObjective(`wer <= ${bound}`);
  const sums: ClusterSums = emptyClusterSums();
  for (const shard of shards) {
    const own = emptyClusterSums();
    for (const { errors, words } of shard) addClusterSums(own, sessionSums(words, errors));
    addClusterSums(sums, own);
  }
  const total = (of: (session: Session) => number) => sessions.reduce((sum, one) => sum + of(one), 0);
  const none = emptyMeasurements();
  const measured = {
    ...none,
    rates: { ...none.rates, wer: { count: total((one) => one.errors), of: total((one) => one.words) } },
    strata: [{ [objective.source]: sums }],
  };
  return judge(objective, measured);
}

describe('the interval of the word error rate', () => {
  it.each([
    [60, 0.1],
    [200, 0.05],
    [200, 0.3],
  ])('of %i sessions at %f comes to that of a bootstrap over them', (count, rate) => {
    for (const seed of [1, 2, 3]) {
      const sessions = sessionsOf(count, rate, seed);
      const measured = rateOf(sessions);
      const { value, confidenceBound } = judged(sessions, `${(measured * 102).toFixed(3)}%`);
      const byBootstrap = bootstrapBound(sessions, seed) - value!;
      expect((confidenceBound! - value!) / byBootstrap).toBeGreaterThan(0.93);
      expect((confidenceBound! - value!) / byBootstrap).toBeLessThan(1.2);
    }
  });

  it.each([
    [40, 0.1],
    [100, 0.05],
  ])(
    'of %i sessions at %f, the truth being on the bound, proves falsely no oftener than asked or than a bootstrap',
    (count, rate) => {
      const runs = 600;
      const truth = 1.1 * rate;
      let falsely = 0;
      let falselyByBootstrap = 0;
      for (let seed = 1; seed <= runs; seed++) {
        const sessions = sessionsOf(count, rate, seed);
        if (judged(sessions, `${(100 * truth).toFixed(3)}%`).verdict === 'pass') falsely += 1;
        if (bootstrapBound(sessions, seed, 200) <= truth) falselyByBootstrap += 1;
      }
      // 5 % are asked, give or take 1.8 points at so many runs.
      expect(falsely / runs).toBeLessThan(0.068);
      expect(falsely).toBeLessThanOrEqual(falselyByBootstrap);
    },
  );

  it('of shards that are merged is that of the whole', () => {
    const sessions = sessionsOf(90, 0.1, 7);
    const whole = judged(sessions, '12%');
    const shards = [sessions.slice(0, 30), sessions.slice(30, 50), sessions.slice(50)];
    expect(judged(shards.flat(), '12%', shards)).toEqual(whole);
  });

  it('proves what is far below the bound, and fails what is above', () => {
    expect(judged(sessionsOf(100, 0.03, 5), '10%')).toMatchObject({ verdict: 'pass' });
    expect(judged(sessionsOf(100, 0.3, 5), '10%')).toMatchObject({ verdict: 'fail' });
  });

  it('of sessions that have more errors than words is a rate above 100 %, and fails', () => {
    const sessions = Array.from({ length: 20 }, () => ({ errors: 120, words: 80 }));
    expect(judged(sessions, '10%')).toMatchObject({ verdict: 'fail', value: 1.5 });
  });

  it('without an error counts each session as one sample', () => {
    const clean = (count: number) => Array.from({ length: count }, () => ({ errors: 0, words: 80 }));
    expect(judged(clean(20), '10%').verdict).toBe('invalid');
    expect(judged(clean(40), '10%').verdict).toBe('pass');
  });
});

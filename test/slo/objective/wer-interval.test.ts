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

/** The 95 % quantile of the rate of as many sessions, drawn with replacement 4,000 times. */
function bootstrapBound(sessions: readonly Session[], seed: number): number {
  const random = createRandomStream(seed, 2);
  const rates = Array.from({ length: 4000 }, () => {
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

function judged(sessions: readonly Session[], bound: string) {
  const objective = parseObjective(`wer <= ${bound}`);
  const sums: ClusterSums = emptyClusterSums();
  for (const { errors, words } of sessions) addClusterSums(sums, sessionSums(words, errors));
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

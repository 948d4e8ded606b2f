import { describe, expect, it } from 'vitest';
import { sessionsNeeded } from '../../../src/slo/objective/sessions-needed.ts';
import { fewness } from '../../../src/stats/effective-size.ts';

const confidence = 0.95;

describe('the sessions that prove a share when nothing misses', () => {
  it.each([
    ['of one sample each are as many as the samples', 0.05, 1, 59, 59],
    // 200 samples of four sessions are worth (t_199 / t_3)^2 of them, 98; 150 of three 48.
    ['of fifty are fewer, if those are independent', 0.05, 50, 4, 59],
    ['of a thousand are two, since one tells no spread', 0.05, 1000, 2, 59],
    ['are two at least, whatever may miss', 0.97, 1, 2, 2],
    ['of a rare miss are many', 0.001, 10, 302, 2995],
  ])('%s', (_, missShare, samplesASession, least, most) => {
    expect(sessionsNeeded({ missShare, samplesASession, confidence })).toEqual({ least, most });
  });

  it('are the fewest whose samples are worth enough', () => {
    const { least, most } = sessionsNeeded({ missShare: 0.01, samplesASession: 7, confidence });
    const worth = (sessions: number) => 7 * sessions * fewness(7 * sessions, sessions - 1, 0.9);
    expect(worth(least)).toBeGreaterThanOrEqual(most);
    expect(worth(least - 1)).toBeLessThan(most);
  });
});

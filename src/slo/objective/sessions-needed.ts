import { firstTrue } from '../../stats/bisect.ts';
import { fewness } from '../../stats/effective-size.ts';
import { samplesToProve } from '../../stats/sample-size.ts';

/**
 * Sessions that prove that at most `missShare` miss when not one sample does: `least` if samples of
 * one session were independent, `most` if they were all alike, so that each session counts as one
 * sample. What a test needs lies between, and only the test itself tells where.
 */
export function sessionsNeeded({
  missShare,
  samplesASession,
  confidence,
}: {
  missShare: number;
  samplesASession: number;
  confidence: number;
}): { least: number; most: number } {
  const most = Math.max(2, samplesToProve(missShare, 0, confidence));
  const enough = (sessions: number) => {
    const samples = sessions * samplesASession;
    return samples * fewness(samples, sessions - 1, 2 * confidence - 1) >= most;
  };
  return { least: firstTrue(2, most, enough), most };
}

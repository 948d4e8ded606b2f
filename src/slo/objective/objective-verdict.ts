/** `invalid`: the run proves nothing either way. Only `pass` is a pass. */
export type Verdict = 'pass' | 'fail' | 'invalid';

export type ObjectiveVerdict = {
  objective: string;
  metric: string;
  verdict: Verdict;
  /**
   * ms, a share of 1, a count or $ a minute; Infinity when that feedback never came; undefined
   * without data.
   */
  value: number | undefined;
  bound: number;
  unit: 'ms' | 'share' | 'count' | 'usd_per_minute';
  samples: number;
  /** Samples on the wrong side of the bound. */
  misses: number;
  /**
   * What the true value does not exceed (or, for a share, fall below) with `confidence`; undefined:
   * counted, or no bound yet.
   */
  confidenceBound: number | undefined;
  /** How many more samples, none of them a miss, would prove the objective. */
  needsMore: number | undefined;
  /**
   * How many more sessions like these, none of them with a miss, would; undefined where sessions
   * are not the unit.
   */
  needsSessions: number | undefined;
  reason: string;
  /**
   * What the samples prove when those of one session may resemble each other; undefined when
   * sessions cannot tell.
   */
  clustered: Clustered | undefined;
};

/**
 * What the verdict rests on where sessions are the unit: they are independent, the samples of one
 * need not be.
 */
export type Clustered = {
  sessions: number;
  /** How much more the share of misses varies than with independent samples; at least 1. */
  designEffect: number;
  /** What the samples are worth in independent ones. */
  effectiveSamples: number;
  confidenceBound: number | undefined;
  proven: boolean;
};

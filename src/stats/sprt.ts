/**
 * Wald's sequential probability ratio test of a share of bad events: `fine` share against `worse`
 * share (1945).
 */
export type SequentialPlan = {
  /**
   * The share of bad events that is acceptable, and the one that must be found; 0 < fine < worse <
   * 1.
   */
  fine: number;
  worse: number;
  /** Chance to decide `worse` although the share is `fine`, and the reverse. */
  alpha: number;
  beta: number;
};

export type SequentialDecision = {
  decision: 'fine' | 'worse' | 'continue';
  /** ln of how much likelier the events are under `worse` than under `fine`. */
  logRatio: number;
  /** The test says worse at or above `upper`, fine at or below `lower`. */
  upper: number;
  lower: number;
};

/**
 * Judges `bad` of `total` events seen so far; may be asked after every event without spending
 * `alpha` twice.
 */
export function sequentialTest(plan: SequentialPlan, bad: number, total: number): SequentialDecision {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  const logRatio = bad * perBad + (total - bad) * perGood;
  const decision = logRatio >= upper ? 'worse' : logRatio <= lower ? 'fine' : 'continue';
  return { decision, logRatio, upper, lower };
}

/**
 * Events that the test takes on average when the share is `fine`, and when it is `worse`. Wald's
 * own figure takes the log ratio to stop on its bounds, and is 6 to 9 % low where a bad event
 * carries it well beyond; so it is multiplied by what the exact mean is of his. Both grow with the
 * inverse of the share: of shares too rare to sum that ratio is taken at a larger one.
 */
export function expectedEvents(plan: SequentialPlan): { whenFine: number; whenWorse: number } {
  const wald = waldEvents(plan);
  const scale = Math.max(leastShare, (plan.fine * wald.whenWorse * openCounts(plan)) / mostSteps) / plan.fine;
  // Steps this small do not carry it beyond its bounds.
  if (scale > 1 && plan.worse * scale > 0.5) return wald;
  const exact = scale > 1 ? { ...plan, fine: plan.fine * scale, worse: plan.worse * scale } : plan;
  const asExact = waldEvents(exact);
  return {
    whenFine: wald.whenFine * (meanEvents(exact, exact.fine) / asExact.whenFine),
    whenWorse: wald.whenWorse * (meanEvents(exact, exact.worse) / asExact.whenWorse),
  };
}

/** Good events in a row that are enough to decide `fine` when not one is bad. */
export function eventsToClear(plan: SequentialPlan): number {
  return Math.ceil(boundaries(plan).lower / weights(plan).perGood - 1e-9);
}

/**
 * Wald (1945), 3.57: the mean of the log ratio at the end over its mean step, overshoot left out.
 */
function waldEvents(plan: SequentialPlan): { whenFine: number; whenWorse: number } {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  const drift = (share: number) => share * perBad + (1 - share) * perGood;
  return {
    whenFine: (plan.alpha * upper + (1 - plan.alpha) * lower) / drift(plan.fine),
    whenWorse: ((1 - plan.beta) * upper + plan.beta * lower) / drift(plan.worse),
  };
}

/**
 * The mean number of events at a true `share` of bad ones: the sum over n of the chance that n
 * events have not decided, from the distribution of how many of them are bad.
 */
function meanEvents(plan: SequentialPlan, share: number): number {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  // Undecided after n events: lower < bad perBad + (n - bad) perGood < upper.
  const most = openCounts(plan);
  const chances = new Float64Array(most + 1);
  chances[0] = 1;
  let [first, mean, undecided] = [0, 0, 1];
  for (let n = 1; undecided > 1e-12; n++) {
    mean += undecided;
    for (let k = most; k > 0; k--) chances[k] = chances[k]! * (1 - share) + chances[k - 1]! * share;
    chances[0]! *= 1 - share;
    undecided = 0;
    for (let k = 0; k <= most; k++) {
      const ratio = (first + k) * perBad + (n - first - k) * perGood;
      if (ratio >= upper || ratio <= lower) chances[k] = 0;
      undecided += chances[k]!;
    }
    // What has too few bad events has been decided for good: the window moves on.
    while (first * perBad + (n - first) * perGood <= lower) {
      chances.copyWithin(0, 1);
      chances[most] = 0;
      first++;
    }
  }
  return mean;
}

/** How many counts of bad events can leave the test undecided at any one time, at most. */
function openCounts(plan: SequentialPlan): number {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  return Math.ceil((upper - lower) / (perBad - perGood)) + 2;
}

/** Most additions of an exact mean; rarer events would need more. */
const leastShare = 0.001;
const mostSteps = 500_000;

function weights({ fine, worse }: SequentialPlan): { perBad: number; perGood: number } {
  return { perBad: Math.log(worse / fine), perGood: Math.log1p(-worse) - Math.log1p(-fine) };
}

function boundaries({ alpha, beta }: SequentialPlan): { upper: number; lower: number } {
  return { upper: Math.log((1 - beta) / alpha), lower: Math.log(beta / (1 - alpha)) };
}

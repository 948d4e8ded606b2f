/** Wald's sequential probability ratio test of a share of bad events: `fine` share against `worse` share (1945). */
export type SequentialPlan = {
  /** The share of bad events that is acceptable, and the one that must be found; 0 < fine < worse < 1. */
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
  /** At or above `upper` the test says worse, at or below `lower` fine. */
  upper: number;
  lower: number;
};

/** Judges `bad` of `total` events seen so far; may be asked after every event without spending `alpha` twice. */
export function sequentialTest(plan: SequentialPlan, bad: number, total: number): SequentialDecision {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  const logRatio = bad * perBad + (total - bad) * perGood;
  const decision = logRatio >= upper ? 'worse' : logRatio <= lower ? 'fine' : 'continue';
  return { decision, logRatio, upper, lower };
}

/** Events that the test takes on average when the share is `fine`, and when it is `worse` (Wald; overshoot ignored). */
export function expectedEvents(plan: SequentialPlan): { whenFine: number; whenWorse: number } {
  const { perBad, perGood } = weights(plan);
  const { upper, lower } = boundaries(plan);
  const drift = (share: number) => share * perBad + (1 - share) * perGood;
  return {
    whenFine: (plan.alpha * upper + (1 - plan.alpha) * lower) / drift(plan.fine),
    whenWorse: ((1 - plan.beta) * upper + plan.beta * lower) / drift(plan.worse),
  };
}

/** Good events in a row that are enough to decide `fine` when not one is bad. */
export function eventsToClear(plan: SequentialPlan): number {
  return Math.ceil(boundaries(plan).lower / weights(plan).perGood - 1e-9);
}

function weights({ fine, worse }: SequentialPlan): { perBad: number; perGood: number } {
  return { perBad: Math.log(worse / fine), perGood: Math.log1p(-worse) - Math.log1p(-fine) };
}

function boundaries({ alpha, beta }: SequentialPlan): { upper: number; lower: number } {
  return { upper: Math.log((1 - beta) / alpha), lower: Math.log(beta / (1 - alpha)) };
}

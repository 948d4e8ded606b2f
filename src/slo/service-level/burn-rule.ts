import { createBinomialSampler } from '../../stats/binomial-sampler.ts';
import { binomialCdf } from '../../stats/distributions.ts';
import { createRandom } from '../../stats/random.ts';

/**
 * "Roll back when the burn is above `burn` for so long" can be read two ways. `window`: the share
 * over the trailing window, looked at after every interval. Finds a regression as soon as the
 * window is bad on the whole; one unlucky stretch trips it. `consecutive`: every interval of the
 * window by itself, all of them in a row. Hardly ever trips wrongly, and hardly ever rightly when
 * an interval holds few events.
 */
export const burnModes = ['window', 'consecutive'] as const;
export type BurnMode = (typeof burnModes)[number];

export type BurnRule = {
  target: number;
  burn: number;
  mode: BurnMode;
  /** Intervals in the window. */
  intervals: number;
};

export type Chance = {
  value: number;
  /** Standard error of a simulated value; 0 when the value is exact. */
  standardError: number;
};

/**
 * The most bad events among `total` that are not yet above the burn: 12 of 600 for a burn of 2 at
 * 99 %.
 */
export function allowedBad(rule: { target: number; burn: number }, total: number): number {
  return Math.floor(total * rule.burn * (1 - rule.target) + 1e-9);
}

/** The chance that one window of `events` events, each bad with `badShare`, is above the burn. */
export function chanceOfOneWindow(rule: BurnRule, events: number, badShare: number): number {
  return 1 - binomialCdf(allowedBad(rule, events), events, badShare);
}

/**
 * The chance that the rule trips within `intervals` intervals of `eventsPerInterval` events, each
 * bad with `badShare` independently. Consecutive: exact, by the length of the present run. Window:
 * simulated, seeded, because trailing windows overlap; the error comes with it.
 */
export function chanceToTrip(rule: BurnRule, eventsPerInterval: number, badShare: number, intervals: number): Chance {
  if (intervals < rule.intervals || eventsPerInterval < 1) return { value: 0, standardError: 0 };
  if (rule.mode === 'consecutive') {
    const above = chanceOfOneWindow(rule, eventsPerInterval, badShare);
    return { value: chanceOfRun(above, rule.intervals, intervals), standardError: 0 };
  }
  return simulateWindow(rule, eventsPerInterval, badShare, intervals);
}

/** Whether the rule has tripped anywhere in a history of intervals. */
export function hasTripped(rule: BurnRule, history: readonly { bad: number; total: number }[]): boolean {
  const isAbove = ({ bad, total }: { bad: number; total: number }) => total > 0 && bad > allowedBad(rule, total);
  let run = 0;
  const window = { bad: 0, total: 0 };
  return history.some((now, i) => {
    run = isAbove(now) ? run + 1 : 0;
    if (rule.mode === 'consecutive') return run >= rule.intervals;
    const old = history[i - rule.intervals];
    window.bad += now.bad - (old?.bad ?? 0);
    window.total += now.total - (old?.total ?? 0);
    return i + 1 >= rule.intervals && isAbove(window);
  });
}

/** P(a run of `length` successes within `trials` trials of chance `p`). */
function chanceOfRun(p: number, length: number, trials: number): number {
  // running[k]: no full run so far, and the last k trials were successes.
  let running = new Float64Array(length);
  running[0] = 1;
  let done = 0;
  for (let trial = 0; trial < trials; trial++) {
    const next = new Float64Array(length);
    for (let k = 0; k < length; k++) {
      next[0]! += running[k]! * (1 - p);
      if (k + 1 < length) next[k + 1] = running[k]! * p;
      else done += running[k]! * p;
    }
    running = next;
  }
  return done;
}

function simulateWindow(rule: BurnRule, eventsPerInterval: number, badShare: number, intervals: number): Chance {
  const runs = Math.max(leastRuns, Math.min(mostRuns, Math.floor(drawBudget / intervals)));
  const draw = createBinomialSampler(createRandom(seed), eventsPerInterval, badShare);
  const allowed = allowedBad(rule, eventsPerInterval * rule.intervals);
  const window = new Int32Array(rule.intervals);
  let tripped = 0;
  for (let run = 0; run < runs; run++) {
    window.fill(0);
    let bad = 0;
    for (let i = 0; i < intervals; i++) {
      const place = i % rule.intervals;
      const now = draw();
      bad += now - window[place]!;
      window[place] = now;
      if (i + 1 >= rule.intervals && bad > allowed) {
        tripped++;
        break;
      }
    }
  }
  // Never 0: that nothing tripped in so many runs is not certainty (Agresti and Coull).
  const near = (tripped + 1) / (runs + 2);
  return { value: tripped / runs, standardError: Math.sqrt((near * (1 - near)) / runs) };
}

const seed = 1;
/**
 * Draws a simulation may take, a second at most; and runs, for an error of at most .3 % and no more
 * than .1 % is worth.
 */
const drawBudget = 12_000_000;
const leastRuns = 20_000;
const mostRuns = 200_000;

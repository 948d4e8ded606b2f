/**
 * What one load led to. `generator`: the load was not the one asked for, so that the step says
 * nothing of the server.
 */
export type CapacityStep = {
  learners: number;
  outcome: 'carried' | 'missed' | 'generator';
  /** True for a step that was long enough to confirm. */
  long: boolean;
  /** Every objective was proven, not only met. */
  proven: boolean;
  /**
   * What was missed, what the generator could not do, or which objectives were met and not proven.
   */
  reason: string;
};

export type CapacityOptions = {
  /** The first load tried, and the largest. */
  from: number;
  most: number;
  /** Ends when the least load missed is within this share of the largest carried. */
  resolution: number;
};

export type CapacityFound<S extends CapacityStep> = {
  /** The largest load carried; 0 when none was. */
  learners: number;
  /** Carried in a longer run with another schedule. */
  confirmed: boolean;
  /** What kept the search from a larger load. */
  limit: 'server' | 'generator' | 'most' | Stopped;
  steps: readonly S[];
};

/** Why a load was not tried to its end: somebody stopped it, or it would cost more than it may. */
export type Stopped = 'interrupted' | 'cost';

/**
 * Searches the largest load that is carried: doubles it until it is missed, halves the distance
 * between the two, and confirms what it found. `run` tries one load, longer and with another
 * schedule when it is to confirm, and says why it did not where it was stopped. A step in which the
 * generator was at its end is repeated, since one noisy moment of the machine does that too; the
 * search ends when every repetition is invalid as well: more may be possible.
 */
export async function findCapacity<S extends CapacityStep>(
  options: CapacityOptions,
  run: (learners: number, long: boolean, repetition: number) => Promise<S | Stopped>,
): Promise<CapacityFound<S>> {
  const steps: S[] = [];
  const tryLoad = async (learners: number, long: boolean): Promise<S | Stopped> => {
    for (let repetition = 0; ; repetition++) {
      const step = await run(learners, long, repetition);
      if (typeof step === 'string') return step;
      steps.push(step);
      if (step.outcome !== 'generator' || repetition === invalidRepetitions) return step;
    }
  };
  const search: Search = { carried: 0, missed: options.most + 1 };
  /** A load was carried once and then missed: from then on only longer runs are believed. */
  let wary = false;
  const found = (limit: CapacityFound<S>['limit'], confirmed: boolean): CapacityFound<S> => {
    return { learners: search.carried, confirmed, limit, steps };
  };
  const confirmed = () =>
    steps.some((step) => step.outcome === 'carried' && step.learners === search.carried && step.long);
  for (;;) {
    const next = nextLoad(search, options);
    if (next === undefined && (search.carried === 0 || confirmed())) {
      return found(search.carried === options.most ? 'most' : 'server', search.carried > 0);
    }
    const long = wary || next === undefined;
    const step = await tryLoad(next ?? search.carried, long);
    if (typeof step === 'string') return found(step, false);
    if (step.outcome === 'generator') return found('generator', false);
    if (step.outcome === 'carried') {
      search.carried = Math.max(search.carried, step.learners);
    } else {
      search.missed = step.learners;
      if (next !== undefined) continue;
      wary = true;
      // What was carried once and missed when confirmed was luck, and so may be what lies close
      // below.
      const below = steps.filter((one) => one.outcome === 'carried' && one.learners <= step.learners * 0.9);
      search.carried = Math.max(0, ...below.map(({ learners }) => learners));
    }
  }
}

/** How many times an invalid step is repeated. */
export const invalidRepetitions = 3;

type Search = { carried: number; missed: number };

/** The next load to try; undefined when it is known well enough. */
function nextLoad({ carried, missed }: Search, { from, most, resolution }: CapacityOptions): number | undefined {
  if (carried === 0 && missed > most) return Math.min(from, most);
  if (missed > most) return carried === most ? undefined : Math.min(most, carried * 2);
  if (missed - carried <= Math.max(1, resolution * carried)) return undefined;
  return Math.floor((carried + missed) / 2);
}

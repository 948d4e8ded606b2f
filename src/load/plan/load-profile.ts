/** One session of the plan: when the app connects, and when the learner stops speaking for good. */
export type Stay = { arrivalMs: number; leaveMs: number };

/**
 * How much load there is when, whatever the server does; every time in ms from the start of the
 * test.
 */
export type LoadProfile = {
  phases: readonly ProfilePhase[];
  endMs: number;
  /** How long one learner stays; undefined: as long as there is a place. */
  session: Range | undefined;
} & (
  | { /** Levels are learners at once. */ by: 'learners' }
  | { /** Levels are arrivals a second. */ by: 'rate'; process: ArrivalProcess }
);

/**
 * `even`: each arrival within its own equal share of time; `poisson`: independent of one another,
 * as strangers come.
 */
type ArrivalProcess = 'even' | 'poisson';

/** Ramps from the level before to `level` within `rampMs`, then holds it until `endMs`. */
export type ProfilePhase = { name: string; beginMs: number; endMs: number; rampMs: number; level: number };

/** A length of time: always the same, or drawn evenly from between. */
export type Range = { leastMs: number; mostMs: number };

/** `learners` at once who arrive over a ramp and stay. */
export function steadyLoad(learners: number, rampMs: number, durationMs: number): LoadProfile {
  const phase = { name: 'steady', beginMs: 0, endMs: durationMs, rampMs, level: learners };
  return { by: 'learners', phases: [phase], endMs: durationMs, session: undefined };
}

export function draw({ leastMs, mostMs }: Range, point: number): number {
  return leastMs + (mostMs - leastMs) * point;
}

/** The level that the shape asks for at a time; 0 before and after it. */
export function levelAt({ phases }: LoadProfile, atMs: number): number {
  const index = phases.findIndex(({ beginMs, endMs }) => atMs >= beginMs && atMs < endMs);
  const phase = phases[index];
  if (!phase) return 0;
  const from = phases[index - 1]?.level ?? 0;
  const way = phase.rampMs > 0 ? Math.min(1, (atMs - phase.beginMs) / phase.rampMs) : 1;
  return from + (phase.level - from) * way;
}

/** The highest level of all. */
export function peakLevel({ phases }: LoadProfile): number {
  return phases.reduce((most, { level }) => Math.max(most, level), 0);
}

/** About how long all learners are there together, and how many sessions that is. */
export function expectedLoad(shape: LoadProfile): { hours: number; sessions: number } {
  const { phases, session } = shape;
  const areaMs = phases.reduce((sum, { beginMs, endMs, rampMs, level }, i) => {
    const from = phases[i - 1]?.level ?? 0;
    return sum + level * (endMs - beginMs - rampMs) + ((from + level) / 2) * rampMs;
  }, 0);
  const sessionMs = session && (session.leastMs + session.mostMs) / 2;
  if (shape.by === 'rate') return { hours: ((areaMs / 1000) * (sessionMs ?? 0)) / 3_600_000, sessions: areaMs / 1000 };
  return { hours: areaMs / 3_600_000, sessions: sessionMs === undefined ? peakLevel(shape) : areaMs / sessionMs };
}

/** Some 2 GB of plans. */
export const largestLoad = { hours: 15_000, sessions: 2_000_000 } as const;

import type { LoadProfile, ProfilePhase } from '../plan/load-profile.ts';
import type { Level } from './fields.ts';
import type { LoadSpec, PhaseSpec } from './load-schema.ts';

/** The shape that a checked load describes, over a test of `durationMs`. */
export function loadProfileOf(load: LoadSpec, durationMs: number): LoadProfile {
  const written = load.phases ?? [plainPhase(load, durationMs)];
  const phases: ProfilePhase[] = [];
  let beginMs = 0;
  for (const [index, phase] of written.entries()) {
    const level = levelOf((phase.learners ?? phase.rate)!, phases.at(-1)?.level ?? 0);
    const endMs = beginMs + phase.duration;
    phases.push({
      name: phase.name ?? `phase-${index + 1}`,
      beginMs,
      endMs,
      rampMs: phase.ramp,
      level: phase.rate === undefined ? Math.round(level) : level,
    });
    beginMs = endMs;
  }
  const common = { phases, endMs: beginMs, session: load.session };
  const rated = written.some(({ rate }) => rate !== undefined);
  return rated ? { ...common, by: 'rate', process: load.arrivals ?? 'even' } : { ...common, by: 'learners' };
}

/** How long all phases take together; 0 for a load without phases. */
export function phasesEndMs({ phases = [] }: LoadSpec): number {
  return phases.reduce((sum, { duration }) => sum + duration, 0);
}

function plainPhase({ learners, rate, ramp = 0 }: LoadSpec, durationMs: number): PhaseSpec {
  const level = learners === undefined ? { rate } : { learners: { value: learners } };
  return { name: 'steady', duration: durationMs, ramp, ...level };
}

function levelOf(given: Level, before: number): number {
  return 'value' in given ? given.value : before * given.times;
}

import { entriesOf, type FaultSpec, type ScheduledFault } from './faults-schema.ts';
import type { LoadScenario } from './scenario.ts';

type Spec = LoadScenario['spec'];

/**
 * The same test over another length. What has a place on the timeline keeps its share of it: phases
 * with their ramps, the times of faults, the warm-up. What is a property of people or networks
 * stays: sessions, pauses, how long a fault lasts, and the ramp of a load without phases.
 */
export function scaleToDuration(spec: Spec, durationMs: number): Spec {
  const factor = durationMs / spec.duration;
  const scale = (ms: number) => Math.round(ms * factor);
  const moved = (fault: ScheduledFault): ScheduledFault => ({
    ...fault,
    ...(fault.at === undefined ? {} : { at: scale(fault.at) }),
    ...(fault.every === undefined ? {} : { every: scale(fault.every) }),
  });
  return {
    ...spec,
    duration: durationMs,
    warmup: scale(spec.warmup),
    load: { ...spec.load, ...(spec.load.phases ? { phases: scaledPhases(spec.load.phases, factor) } : {}) },
    faults: spec.faults.map(
      (entry): FaultSpec => Object.fromEntries(entriesOf(entry).map(([{ key }, fault]) => [key, moved(fault)])),
    ),
  };
}

/** Ends are rounded, not lengths: phases still fill the whole. */
function scaledPhases(phases: NonNullable<Spec['load']['phases']>, factor: number): typeof phases {
  let endMs = 0;
  return phases.map((phase) => {
    const beginMs = Math.round(endMs * factor);
    endMs += phase.duration;
    const duration = Math.round(endMs * factor) - beginMs;
    return { ...phase, duration, ramp: Math.min(duration, Math.round(phase.ramp * factor)) };
  });
}

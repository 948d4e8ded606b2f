import { entriesOf, type FaultSpec, type ScheduledFault } from './faults-schema.ts';
import type { LoadScenario } from './scenario.ts';

type Spec = LoadScenario['spec'];

/**
 * The same test over another length. What has a place on the timeline keeps its share of it: stages with their ramps, the
 * times of faults, the warm-up. What is a property of people or networks stays: sessions, pauses, how long a fault lasts, and
 * the ramp of a load without stages.
 */
export function stretched(spec: Spec, durationMs: number): Spec {
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
    load: { ...spec.load, ...(spec.load.stages ? { stages: scaledStages(spec.load.stages, factor) } : {}) },
    faults: spec.faults.map(
      (entry): FaultSpec => Object.fromEntries(entriesOf(entry).map(([{ key }, fault]) => [key, moved(fault)])),
    ),
  };
}

/** Ends are rounded, not lengths: stages still fill the whole. */
function scaledStages(stages: NonNullable<Spec['load']['stages']>, factor: number): typeof stages {
  let endMs = 0;
  return stages.map((stage) => {
    const beginMs = Math.round(endMs * factor);
    endMs += stage.duration;
    const duration = Math.round(endMs * factor) - beginMs;
    return { ...stage, duration, ramp: Math.min(duration, Math.round(stage.ramp * factor)) };
  });
}

import type { LoadShape, ShapeStage } from '../plan/shape.ts';
import type { Level } from './fields.ts';
import type { LoadSpec, StageSpec } from './load-schema.ts';

/** The shape that a checked load describes, over a test of `durationMs`. */
export function shapeOf(load: LoadSpec, durationMs: number): LoadShape {
  const written = load.stages ?? [plainStage(load, durationMs)];
  const stages: ShapeStage[] = [];
  let beginMs = 0;
  for (const [index, stage] of written.entries()) {
    const level = levelOf((stage.learners ?? stage.rate)!, stages.at(-1)?.level ?? 0);
    const endMs = beginMs + stage.duration;
    stages.push({
      name: stage.name ?? `stage-${index + 1}`,
      beginMs,
      endMs,
      rampMs: stage.ramp,
      level: stage.rate === undefined ? Math.round(level) : level,
    });
    beginMs = endMs;
  }
  const common = { stages, endMs: beginMs, session: load.session };
  const rated = written.some(({ rate }) => rate !== undefined);
  return rated ? { ...common, by: 'rate', process: load.arrivals ?? 'even' } : { ...common, by: 'learners' };
}

/** How long all stages take together; 0 for a load without stages. */
export function stagesEndMs({ stages = [] }: LoadSpec): number {
  return stages.reduce((sum, { duration }) => sum + duration, 0);
}

function plainStage({ learners, rate, ramp = 0 }: LoadSpec, durationMs: number): StageSpec {
  const level = learners === undefined ? { rate } : { learners: { value: learners } };
  return { name: 'steady', duration: durationMs, ramp, ...level };
}

function levelOf(given: Level, before: number): number {
  return 'value' in given ? given.value : before * given.times;
}

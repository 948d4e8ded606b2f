import type { LabelledDistribution } from '../report/export/metric-points.ts';
import type { Recorder } from './recorder.ts';

/** Every latency that was measured, by metric, profile and language; alive as long as the recorder. */
export function labelledLatencies(recorder: Recorder): LabelledDistribution[] {
  return recorder.slices.flatMap(({ labels, distributions }) =>
    Object.entries(distributions)
      .filter(([, { samples }]) => samples > 0)
      .map(([metric, distribution]) => ({ labels: { metric, ...labels }, distribution })),
  );
}

import type { Distribution } from './definitions.ts';

import type { Recorder } from './recorder.ts';

/** Latencies with the labels that they were measured for, `metric` among them. */
export type LabelledDistribution = { labels: Readonly<Record<string, string>>; distribution: Distribution };

/** Every latency that was measured, by metric, profile and language; alive as long as the recorder. */
export function labelledLatencies(recorder: Recorder): LabelledDistribution[] {
  return recorder.slices.flatMap(({ labels, distributions }) =>
    Object.entries(distributions)
      .filter(([, { samples }]) => samples > 0)
      .map(([metric, distribution]) => ({ labels: { metric, ...labels }, distribution })),
  );
}

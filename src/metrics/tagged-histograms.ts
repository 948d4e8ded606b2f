import { selectorText } from './definitions.ts';
import type { LatencyHistogram } from './histogram.ts';
import type { Recorder } from './recorder.ts';
import type { Slice } from './slice.ts';

/** HDR V2 (compressed, base64) of us. */
export type TaggedHistogram = { tag: string; hdr: string; maxMs: number };

/**
 * A recording's histograms as a log holds them: by metric (`feedback_latency`) and stage
 * (`stage.asr`) for the whole run, then the same for each slice with its labels behind
 * (`feedback_latency;profile=lte;language=en-US`).
 */
export function taggedHistograms(recorder: Recorder): TaggedHistogram[] {
  using whole = recorder.merged();
  return [whole, ...recorder.slices].flatMap(ofSlice);
}

function ofSlice(slice: Slice): TaggedHistogram[] {
  const labels = slice.labels.profile === '' ? '' : `;${selectorText(slice.labels).replaceAll(',', ';')}`;
  const named = [
    ...Object.entries(slice.distributions),
    ...Object.entries(slice.stages).map(([name, histogram]) => [`stage.${name}`, histogram] as const),
  ];
  return named
    .filter(([, { samples, never }]) => samples > never || labels === '')
    .map(([name, histogram]) => ({ tag: name + labels, hdr: histogram.encode().hdr, maxMs: largestMs(histogram) }));
}

function largestMs(histogram: LatencyHistogram): number {
  const came = histogram.samples - histogram.never;
  return came === 0 ? 0 : histogram.valueAtRank(came);
}

import { z } from 'zod';
import { section, text } from '../config/fields.ts';
import { isNot } from '../config/sentences.ts';
import { backendCounts, type EncodedBackend } from '../metrics/backend-record.ts';
import { type ClusterSums, rungs } from '../metrics/cluster-sums.ts';
import { countNames, distributionNames, metrics, rateNames, shareNames } from '../metrics/definitions.ts';
import { histogramProblem } from '../metrics/encoded-histogram.ts';
import { reportStages } from '../metrics/latency-stages.ts';
import type { EncodedSlice } from '../metrics/slice.ts';
import { type TallyName, tallyNames } from '../metrics/tally.ts';
import { runMetadata } from './metadata-schema.ts';
import { allOf, anyNumber, countField, list, notNegative, someOf } from './recording-fields.ts';

/**
 * Version of the file's content, which holds what this program's own types hold, and rises when
 * they change. Version 2 names the parts of a load `phase`, which version 1 called `stage`, in its
 * labels and in the text of its objectives; version 3 keeps the tails of each session's latencies;
 * version 4 names `metadata`, `sessionErrors` and `affected` so; version 5 keeps the fourth power
 * of a session's length.
 */
export const recordingVersion = 5;

/** What tells a file of ours; a version other than `recordingVersion` is not read. */
export const recordingHeader = z.object({ kind: z.literal('LoadRecording'), version: z.number() });

const histogram = section({
  hdr: text('an HdrHistogram in base64').superRefine((hdr, context) => {
    const message = histogramProblem(hdr);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  never: countField(),
});

const sums = section({
  sessions: countField(),
  samples: countField(),
  misses: notNegative(),
  samplesSquared: notNegative(),
  missesSquared: notNegative(),
  missesSamples: notNegative(),
  samplesCubed: notNegative(),
  samplesSquaredMisses: notNegative(),
  samplesMissesSquared: notNegative(),
  samplesFourth: notNegative(),
  tails: list(notNegative()).refine(({ length }) => length === 0 || length === 3 * rungs, {
    error: `is not a list of ${3 * rungs} sums, or none`,
  }),
} satisfies Record<keyof ClusterSums, z.ZodType>);

/** What cannot be more than what it is a part of. */
const parts: readonly (readonly [part: TallyName, whole: TallyName])[] = [
  ...shareNames.flatMap((name) => {
    const share = metrics[name];
    return 'total' in share ? [[share.good, share.total] as const] : [];
  }),
  ...countNames.flatMap((name) => (metrics[name].part ? [[name, metrics[name].of[0]] as const] : [])),
  ...rateNames.flatMap((name) => (metrics[name].part ? [[metrics[name].counted, metrics[name].of] as const] : [])),
  ['sound_served_ms', 'sound_due_ms'],
];

/** Tallies that recordings of version 5 did not have from its beginning. */
const laterTallies: ReadonlySet<TallyName> = new Set(['words_spoken', 'words_wrong']);

/** A count that a recording lacks is one that its speechfb did not have yet. */
const tally = allOf(tallyNames, (name) =>
  name.startsWith('sound_')
    ? notNegative()
    : countNames.some((one) => one === name) || laterTallies.has(name)
      ? countField().prefault(0)
      : countField(),
).superRefine((given, context) => {
  for (const [part, whole] of parts) {
    const message = `${given[part]} is more than ${whole}, ${given[whole]}, of which it is a part`;
    if (given[part] > given[whole]) context.addIssue({ code: 'custom', path: [part], message });
  }
});

const slice = section({
  labels: section({
    profile: text('a network'),
    language: text('a language'),
    phase: text('a phase').optional(),
    tenant: text('a tenant').optional(),
  }),
  distributions: someOf(distributionNames, histogram),
  stages: someOf(reportStages, histogram),
  tally,
  clusters: z.record(z.string(), sums, { error: (issue) => isNot(issue.input, 'a mapping of objectives') }),
} satisfies Record<keyof EncodedSlice, z.ZodType>);

const backend = section({
  name: text('a backend'),
  counts: allOf(backendCounts, () => countField()),
  finalLatency: histogram.optional(),
} satisfies Record<keyof EncodedBackend, z.ZodType>);

/** All of a recording.json.gz: whatever passes can be added up, judged and shown. */
export const recordingSchema = section({
  kind: z.literal('LoadRecording'),
  version: z.literal(recordingVersion),
  metadata: runMetadata,
  recording: section({ slices: list(slice), backends: list(backend).optional() }),
  tracesSeen: countField(),
});

/** A line of traces.ndjson.gz as a load test writes it. */
export const recordedTrace = section({
  at_ms: notNegative(),
  session: text('a name'),
  utterance: countField().optional(),
  profile: text('a network'),
  language: text('a language'),
  total_ms: notNegative(),
  stages: someOf(reportStages, anyNumber()),
});

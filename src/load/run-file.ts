import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { unreadable } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';

/** Version 2 adds keys (by profile and language) and takes none away; what is not read here may be anything. */
const versions = [1, 2] as const;

const distributions = z.record(z.string(), z.object({ samples: z.number(), never: z.number() }));

const runFile = z.object({
  kind: z.literal('LoadReport', { error: (issue) => `${JSON.stringify(issue.input)} is not LoadReport` }),
  version: z.literal(versions, {
    error: (issue) => `${JSON.stringify(issue.input)} is not a version this can read: ${versions.join(', ')}`,
  }),
  elapsed_ms: z.number(),
  distributions,
  validity: z.array(z.object({ check: z.string(), ok: z.boolean(), detail: z.string() })),
  shares: z.record(z.string(), z.object({ good: z.number(), total: z.number() })),
  slices: z.array(z.object({ labels: z.record(z.string(), z.string()), distributions })).optional(),
});

type RunFile = z.output<typeof runFile>;

/** What is read of a directory's run.json. Throws `unreadable_file` or `bad_run`. */
export function readRunFile(directory: string): RunFile {
  const file = join(directory, 'run.json');
  const text = readFileOf(file);
  let problems: { where: string; message: string }[];
  try {
    const result = runFile.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    problems = result.error.issues.map(({ path, message }) => ({ where: `${file} ${path.join('.')}`, message }));
  } catch (error) {
    problems = [{ where: file, message: `not JSON: ${(error as Error).message}` }];
  }
  throw new SpeechfbError('bad_run', `${file} is not the report of a load test`, { problems });
}

/** Why the run proves nothing, such as a generator that could not keep its schedule; undefined when it may be trusted. */
export function doubtOf({ validity }: RunFile): string | undefined {
  const doubts = validity.filter((one) => !one.ok).map(({ check, detail }) => `${check}: ${detail}`);
  return doubts.length > 0 ? doubts.join('; ') : undefined;
}

/** Events of a latency that never came, by profile and language where the run says so, and how many did come. */
export function unanswered(
  { distributions, slices = [] }: RunFile,
  metric: string,
): { came: number; never: readonly { labels: Readonly<Record<string, string>>; count: number }[] } {
  const { samples, never } = distributions[metric] ?? { samples: 0, never: 0 };
  // Each event is in one slice of a profile and a language; other slices are sums of these.
  const parts = slices
    .filter(({ labels }) => labels.profile !== undefined && labels.language !== undefined)
    .map((slice) => ({ labels: slice.labels, count: slice.distributions[metric]?.never ?? 0 }));
  const rest = never - parts.reduce((sum, { count }) => sum + count, 0);
  return { came: samples - never, never: rest > 0 ? [...parts, { labels: {}, count: rest }] : parts };
}

/** Where run directories come from. */
export const runHint = 'speechfb loadtest --out DIR writes one';

/** A file of a run directory. Throws `unreadable_file`. */
export function readFileOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'result', cause, runHint);
  }
}

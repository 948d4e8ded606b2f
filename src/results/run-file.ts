import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { unreadable } from '../config/read-chunks.ts';
import { plainSentence, shown } from '../config/sentences.ts';
import { flattenIssues } from '../config/yaml.ts';
import { firstProblems, type Problem, SpeechfbError } from '../errors.ts';
import { countField, list, notNegative, trueOrFalse, words } from './recording-fields.ts';

/**
 * Version 2 adds slices (by profile and language), version 3 calls their label `stage` `phase`,
 * version 4 adds backends; none is read differently here.
 */
const versions = [1, 2, 3, 4] as const;

const distributions = z.record(
  z.string(),
  z.object({ samples: countField(), never: countField() }).refine(({ samples, never }) => never <= samples, {
    error: () => 'has more that never came than samples',
  }),
);

const share = z.object({ good: countField(), total: countField() }).refine(({ good, total }) => good <= total, {
  error: () => 'has more good ones than there are in total',
});

const runFile = z.object({
  kind: z.literal('LoadReport', { error: (issue) => `${shown(issue.input)} is not LoadReport` }),
  version: z.literal(versions, {
    error: (issue) => `${shown(issue.input)} is not a version this can read: ${versions.join(', ')}`,
  }),
  elapsed_ms: notNegative(),
  distributions,
  validity: list(z.object({ check: words('a name'), ok: trueOrFalse(), detail: words('a sentence') })),
  shares: z.record(z.string(), share),
  slices: list(z.object({ labels: z.record(z.string(), z.string()), distributions })).optional(),
});

type RunFile = z.output<typeof runFile>;

/** What is read of a directory's run.json. Throws `unreadable_file` or `bad_run`. */
export function readRunFile(directory: string): RunFile {
  const file = join(directory, 'run.json');
  const text = readFileOf(file);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    const message = `${file} is not the report of a load test: it is not JSON: ${shown(text.trim())}`;
    throw new SpeechfbError('bad_run', message, { hint: runHint, cause });
  }
  const result = runFile.safeParse(content, { error: plainSentence });
  if (result.success) return result.data;
  throw badRun(`${file} is not the report of a load test`, result.error.issues);
}

/**
 * Why the run proves nothing, such as a generator that could not keep its schedule; undefined when
 * it may be trusted.
 */
export function doubtOf({ validity }: RunFile): string | undefined {
  const doubts = validity.filter((one) => !one.ok).map(({ check, detail }) => `${check}: ${detail}`);
  return doubts.length > 0 ? doubts.join('; ') : undefined;
}

/**
 * Events of a latency that never came, by profile and language where the run says so, and how many
 * did come.
 */
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

/** The first of what is wrong with a file of a run, each at its place in it. */
export function badRun(message: string, issues: readonly z.core.$ZodIssue[]): SpeechfbError {
  const all: Problem[] = flattenIssues(issues).map((issue) => ({
    ...(issue.path.length > 0 && { where: issue.path.join('.') }),
    message: issue.message,
  }));
  return new SpeechfbError('bad_run', message, { problems: firstProblems(all), hint: runHint });
}

/** A file of a run directory. Throws `unreadable_file`. */
export function readFileOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'result', cause, runHint);
  }
}

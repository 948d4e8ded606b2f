import { join } from 'node:path';
import type { Budget } from '../../budget/file/budget.ts';
import { ProblemList, TraceLineReader } from '../../budget/traces/lines.ts';
import { type TraceTable, TraceTableBuilder } from '../../budget/traces/table.ts';
import { isDirectory } from '../../config/file-kind.ts';
import { firstExisting, readChunks } from '../../config/read-chunks.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { whole } from '../../format.ts';
import { doubtOf, readRunFile, unanswered } from '../../results/run-file.ts';
import { say } from '../output.ts';

/** Traces as a file gave them, and what its reader noticed. */
export type ReadTraces = {
  file: string;
  table: TraceTable;
  problems: ProblemList;
  /** `file:line:column` where a trace stage first stands. */
  placeOf: (stage: string) => string;
  notes: string[];
  /** What the file seems to be instead of traces, when it has none. */
  hint: string | undefined;
  /** Why the run that they come from proves nothing. */
  doubt: string | undefined;
};

/**
 * Reads the traces that the flags name; undefined when they name none. Faulty lines are problems of
 * the result.
 */
export async function readTraces(
  flags: { traces?: string; run?: string; otlp?: string },
  budget: Budget,
): Promise<ReadTraces | undefined> {
  const builder = new TraceTableBuilder({ seed: budget.seed });
  const problems = new ProblemList();
  if (flags.otlp !== undefined) {
    const file = flags.otlp;
    const { readOtlp } = await import('./read-otlp.ts');
    const notes = await readOtlp(file, budget, builder, problems);
    return finished({ file, problems, placeOf: () => file, notes, hint: undefined, doubt: undefined }, builder);
  }
  const file = flags.run === undefined ? flags.traces : tracesOfRun(flags.run);
  if (file === undefined) return undefined;
  const reader = await readLines(file, builder, problems);
  const run = flags.run === undefined ? { doubt: undefined, notes: [] } : joinRun(flags.run, builder);
  const placeOf = (stage: string) => reader.stagePlaces.get(stage) ?? file;
  const notes = [...run.notes, ...reader.notes()];
  return finished({ file, problems, placeOf, notes, hint: reader.foreignHint(), doubt: run.doubt }, builder);
}

/** Too many faults of a file that is no trace file at all tell no more than three. */
export function faultyTraces({ file, table, problems, hint }: ReadTraces, others: readonly Problem[]): SpeechfbError {
  const foreign = table.seen === 0 && hint !== undefined;
  const count = problems.count === 1 ? 'a faulty trace' : `${problems.count} faulty traces`;
  return new SpeechfbError('bad_traces', `${file} has ${foreign ? 'no trace records' : count}`, {
    problems: [...problems.all(foreign ? 3 : undefined), ...others],
    ...(foreign && { hint }),
  });
}

/**
 * What the run's report adds to its traces: whether it may be trusted, and the feedback that never
 * came, which has no trace.
 */
function joinRun(directory: string, builder: TraceTableBuilder): { doubt: string | undefined; notes: string[] } {
  if (!firstExisting([join(directory, 'run.json')])) {
    const unknown = 'beside the traces is no run.json: whether their load generator kept its schedule is unknown';
    return { doubt: undefined, notes: [unknown] };
  }
  const report = readRunFile(directory);
  const { came, never } = unanswered(report, 'feedback_latency');
  // The traces may be a sample of the feedback that came, and may themselves name what did not.
  const share = came > 0 ? Math.min(1, (builder.seen - builder.never) / came) : 1;
  if (builder.never === 0) {
    for (const { labels, count } of never) {
      for (let i = 0; i < Math.round(count * share); i++) builder.add({ ...unheard, labels });
    }
  }
  return { doubt: doubtOf(report), notes: [] };
}

/** A feedback without a trace. */
const unheard = { totalMs: Number.POSITIVE_INFINITY, stages: {}, atMs: undefined, session: undefined, line: 0 };

async function readLines(file: string, builder: TraceTableBuilder, problems: ProblemList): Promise<TraceLineReader> {
  const reader = new TraceLineReader(file, (record) => builder.add(record), problems);
  let sayNextMs = performance.now() + progressEveryMs;
  for await (const text of readChunks(file, 'traces')) {
    reader.push(text);
    if (performance.now() < sayNextMs) continue;
    sayNextMs += progressEveryMs;
    say(`reading ${file}: line ${whole(reader.line)}`);
  }
  reader.end();
  return reader;
}

function finished(read: Omit<ReadTraces, 'table'>, builder: TraceTableBuilder): ReadTraces {
  const table = builder.finish();
  if (table.n === 0 && read.problems.count === 0)
    throw new SpeechfbError('bad_traces', `${read.file} has no traces: it is empty`);
  const kept = `${table.n} of ${table.seen} traces were kept, a uniform random sample`;
  return { ...read, table, notes: table.seen > table.n ? [...read.notes, kept] : read.notes };
}

function tracesOfRun(directory: string): string {
  const names = ['traces.ndjson.gz', 'traces.ndjson'];
  const found = firstExisting(names.map((name) => join(directory, name)));
  if (found) return found;
  throw new SpeechfbError(
    'unreadable_file',
    isDirectory(directory)
      ? `"${directory}" holds neither ${names.join(' nor ')}`
      : `"${directory}" is not a directory`,
    { hint: 'speechfb loadtest --out DIR writes one' },
  );
}

const progressEveryMs = 5000;

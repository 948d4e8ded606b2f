import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Budget } from '../budget/budget.ts';
import { OtlpReader } from '../budget/otlp.ts';
import { ProblemList, TraceLineReader } from '../budget/trace-lines.ts';
import { type TraceTable, TraceTableBuilder } from '../budget/trace-table.ts';
import { firstExisting, readChunks } from '../config/read-chunks.ts';
import { SpeechfbError } from '../errors.ts';

/** Traces as a file gave them, and what its reader noticed. */
export type ReadTraces = {
  file: string;
  table: TraceTable;
  /** `file:line:column` where a trace stage first stands. */
  placeOf: (stage: string) => string;
  notes: string[];
};

/** Reads the traces that the flags name; undefined when they name none. Throws every fault of the file at once. */
export async function readTraces(
  flags: { traces?: string; run?: string; otlp?: string },
  budget: Budget,
): Promise<ReadTraces | undefined> {
  if (flags.otlp !== undefined) return readOtlp(flags.otlp, budget);
  const file = flags.run === undefined ? flags.traces : tracesOfRun(flags.run);
  return file === undefined ? undefined : readLines(file, budget.seed);
}

async function readLines(file: string, seed: number): Promise<ReadTraces> {
  const builder = new TraceTableBuilder({ seed });
  const reader = new TraceLineReader(file, (record) => builder.add(record));
  let sayNextMs = performance.now() + progressEveryMs;
  for await (const text of readChunks(file, 'traces')) {
    reader.push(text);
    if (performance.now() < sayNextMs) continue;
    sayNextMs += progressEveryMs;
    process.stderr.write(`reading ${file}: line ${reader.line.toLocaleString('en')}\n`);
  }
  reader.end();
  return checked(file, builder.finish(), reader.problems, {
    placeOf: (stage) => reader.stagePlaces.get(stage) ?? file,
    notes: reader.notes(),
  });
}

async function readOtlp(file: string, budget: Budget): Promise<ReadTraces> {
  const problems = new ProblemList();
  const names = [...budget.stages.flatMap(({ of }) => of), ...budget.unattributed];
  const reader = new OtlpReader(file, names, problems);
  for (const { document, line } of parseDocuments(file, await wholeText(file), problems)) reader.add(document, line);
  const builder = new TraceTableBuilder({ seed: budget.seed });
  const { overlapMs } = reader.finish((record) => builder.add(record));
  const overlap = `stages overlap by ${overlapMs.toFixed(1)} ms a trace on average; shares count the critical path only`;
  return checked(file, builder.finish(), problems, { placeOf: () => file, notes: overlapMs > 0.05 ? [overlap] : [] });
}

/** One JSON document, or one a line as the OpenTelemetry Collector's file exporter writes them. */
function parseDocuments(file: string, text: string, problems: ProblemList): { document: unknown; line: number }[] {
  try {
    return [{ document: JSON.parse(text), line: 1 }];
  } catch {
    const found: { document: unknown; line: number }[] = [];
    text.split('\n').forEach((each, index) => {
      if (each.trim() === '') return;
      try {
        found.push({ document: JSON.parse(each), line: index + 1 });
      } catch (error) {
        problems.add({ where: `${file}:${index + 1}:1`, message: `not JSON: ${(error as Error).message}` });
      }
    });
    return found;
  }
}

async function wholeText(file: string): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const text of readChunks(file, 'OTLP traces')) {
    length += text.length;
    if (length > largestOtlp) {
      const hint = 'trace records (--traces, one JSON object a line) are streamed and may have any size';
      throw new SpeechfbError('bad_traces', `"${file}" is larger than ${largestOtlp / 1e6} MB of OTLP JSON`, { hint });
    }
    parts.push(text);
  }
  return parts.join('');
}

function checked(
  file: string,
  table: TraceTable,
  problems: ProblemList,
  rest: Omit<ReadTraces, 'file' | 'table'>,
): ReadTraces {
  if (problems.count > 0) {
    const count = problems.count === 1 ? 'a faulty trace' : `${problems.count} faulty traces`;
    throw new SpeechfbError('bad_traces', `${file} has ${count}`, { problems: problems.all() });
  }
  if (table.n === 0) throw new SpeechfbError('bad_traces', `${file} has no traces: it is empty`);
  const kept = `${table.n} of ${table.seen} traces were kept, a uniform random sample`;
  return { file, table, placeOf: rest.placeOf, notes: table.seen > table.n ? [...rest.notes, kept] : rest.notes };
}

function tracesOfRun(directory: string): string {
  const names = ['traces.ndjson.gz', 'traces.ndjson'];
  const found = firstExisting(names.map((name) => join(directory, name)));
  if (found) return found;
  const isDirectory = statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  throw new SpeechfbError(
    'unreadable_file',
    isDirectory ? `"${directory}" holds neither ${names.join(' nor ')}` : `"${directory}" is not a directory`,
    { hint: 'speechfb loadtest --out DIR writes one' },
  );
}

const progressEveryMs = 5000;
/** A JavaScript string ends at 512 MB. */
const largestOtlp = 400_000_000;

import type { Budget } from '../../budget/file/budget.ts';
import type { ProblemList } from '../../budget/traces/lines.ts';
import { jsonBreak } from '../../budget/traces/lines.ts';
import { OtlpReader, type OtlpSummary, type PlaceOf } from '../../budget/traces/otlp.ts';
import type { TraceTableBuilder } from '../../budget/traces/table.ts';
import { readBytes, textChunks } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { OtlpMessages } from './otlp-messages.ts';

/**
 * Reads OTLP into the builder as the OpenTelemetry Collector's file exporter writes it: JSON, a
 * document a line, or with `format: proto` messages with their length before each; both are
 * streamed. One JSON document over many lines is read whole. Returns what the reader of the report
 * should know.
 */
export async function readOtlp(
  file: string,
  budget: Budget,
  builder: TraceTableBuilder,
  problems: ProblemList,
): Promise<string[]> {
  const reader = new OtlpReader([...budget.stages.flatMap(({ of }) => of), ...budget.unattributed], problems);
  const bytes = readBytes(file, 'OTLP traces');
  const first = await bytes.next();
  const whole = async function* () {
    if (!first.done) yield first.value;
    yield* bytes;
  };
  // Text begins with no zero; the length of a message below 16 MB does.
  if (!first.done && first.value[0] === 0) {
    const messages = new OtlpMessages(file, reader, problems);
    for await (const piece of whole()) messages.push(piece);
    messages.end();
  } else {
    const documents = new DocumentReader(file, reader, problems);
    for await (const text of textChunks(whole(), file, 'OTLP traces')) documents.push(text);
    documents.end();
  }
  const summary = reader.finish((record) => builder.add(record));
  if (builder.seen === 0 && problems.count === 0 && summary.notes.length > 0)
    problems.add({
      where: `${file}:1:1`,
      message: `nothing to judge stands in this file; ${summary.notes.join('; ')}`,
    });
  return notesOf(summary);
}

class DocumentReader {
  readonly #file: string;
  readonly #reader: OtlpReader;
  readonly #problems: ProblemList;
  /**
   * Text that is no document yet: of a line, or when the first line was none by itself, of the
   * whole file.
   */
  #parts: string[] = [];
  #length = 0;
  #line = 0;
  #isWhole = false;
  #found = false;

  constructor(file: string, reader: OtlpReader, problems: ProblemList) {
    this.#file = file;
    this.#reader = reader;
    this.#problems = problems;
  }

  push(text: string): void {
    let from = 0;
    while (!this.#isWhole) {
      const end = text.indexOf('\n', from);
      if (end < 0) break;
      this.#keep(text.slice(from, end));
      this.#takeLine();
      from = end + 1;
    }
    this.#keep(text.slice(from));
    if (this.#length <= largestDocument) return;
    const hint =
      'the Collector writes one document a line, and trace records (--traces) one JSON object a line: both are streamed';
    const message = `"${this.#file}" has an OTLP document of more than ${largestDocument / 1e6} MB`;
    throw new SpeechfbError('bad_traces', message, { hint });
  }

  end(): void {
    const text = this.#parts.join('');
    if (text.trim() !== '') this.#read(text, this.#isWhole ? this.#line : this.#line + 1);
  }

  #keep(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }

  #takeLine(): void {
    const line = this.#parts.join('');
    this.#line++;
    if (line.trim() !== '' && !this.#found && !isJson(line)) {
      this.#isWhole = true;
      this.#keep('\n');
      return;
    }
    this.#parts = [];
    this.#length = 0;
    if (line.trim() === '') return;
    this.#found = true;
    this.#read(line, this.#line);
  }

  #read(text: string, line: number): void {
    const placeAt = placesIn(this.#file, text, line);
    try {
      const placeOf: PlaceOf = (quoted) => placeAt(quoted === undefined ? 0 : text.indexOf(`"${quoted}"`));
      this.#reader.add(JSON.parse(text), line, placeOf);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const at = Number(
        /position (\d+)/.exec(error.message)?.[1] ?? (/end of JSON/.test(error.message) ? text.length : 0),
      );
      this.#problems.add({ where: placeAt(at), message: `not JSON, ${jsonBreak(text, at)}` });
    }
  }
}

/** `file:line:column` of an offset in a text that begins at a line of its file. */
function placesIn(file: string, text: string, firstLine: number): (offset: number) => string {
  return (offset) => {
    const before = text.slice(0, Math.max(0, offset));
    const begin = before.lastIndexOf('\n') + 1;
    return `${file}:${firstLine + before.split('\n').length - 1}:${before.length - begin + 1}`;
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function notesOf({ overlapMs, unclaimed, notes }: OtlpSummary): string[] {
  const named = unclaimed.filter(([name, ms]) => name !== '' && ms >= 0.05).slice(0, 3);
  const spans = named.map(([name, ms]) => `"${name}" ${ms.toFixed(1)} ms`).join(', ');
  return [
    ...notes,
    ...(overlapMs > 0.05
      ? [`stages overlap by ${overlapMs.toFixed(1)} ms a trace on average; shares count the critical path only`]
      : []),
    ...(spans ? [`unattributed are, a trace on average, the spans ${spans}; a stage's "of" may name them`] : []),
  ];
}

/** A JavaScript string ends at 512 MB. */
const largestDocument = 400_000_000;

import { type Problem, SpeechfbError } from '../../errors.ts';
import { SkewTally } from './clock-skew.ts';
import { foreignHint } from './foreign-traces.ts';
import { faultsOf, isRecord, type RawRecord, recordOf } from './record.ts';
import type { TraceRecord } from './table.ts';

/**
 * Reads trace records, one JSON object a line: `{"at_ms", "session", "profile", "language",
 * "device", "total_ms", "stages": {"uplink": ms, ...}}`. Only `stages` is needed, or `spans` in its
 * place; without `total_ms` the total is the sum of the stages; `"total_ms": null` is a feedback
 * that never came. Other keys may be there and are not read. Text comes in pieces of any size.
 */
export class TraceLineReader {
  readonly problems: ProblemList;
  /** `file:line:column` of each trace stage where it first stands. */
  readonly stagePlaces = new Map<string, string>();
  readonly #file: string;
  readonly #take: (record: TraceRecord) => void;
  #rest = '';
  #firstLine: string | undefined;
  #lineNumber = 0;
  #withoutTotal = 0;
  #records = 0;
  readonly #skew = new SkewTally();

  constructor(file: string, take: (record: TraceRecord) => void, problems = new ProblemList()) {
    this.#file = file;
    this.#take = take;
    this.problems = problems;
  }

  /** Lines read so far. */
  get line(): number {
    return this.#lineNumber;
  }

  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#read(from === 0 ? this.#rest + text.slice(0, end) : text.slice(from, end), false);
      if (from === 0) this.#rest = '';
      from = end + 1;
    }
    this.#rest += from === 0 ? text : text.slice(from);
    if (this.#rest.length > longestLine) {
      const hint = foreignHint(this.#rest.slice(0, 4000)) ?? 'trace records stand one JSON object a line';
      const where = `${this.#file}:${this.#lineNumber + 1}`;
      throw new SpeechfbError('bad_traces', `${where} is longer than ${longestLine} characters`, { hint });
    }
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#read(this.#rest, true);
  }

  /**
   * What the file seems to be instead, and what to do; undefined when it looks like trace records.
   */
  foreignHint(): string | undefined {
    return this.#firstLine === undefined ? undefined : foreignHint(this.#firstLine);
  }

  /** What the reader should know though it is no mistake. */
  notes(): string[] {
    const skew = this.#skew.notes(this.#records);
    if (this.#withoutTotal === 0) return skew;
    return [...skew, `${this.#withoutTotal} traces have no total_ms: their total is the sum of their stages`];
  }

  #read(text: string, last: boolean): void {
    this.#lineNumber++;
    if (text.trim() === '') return;
    this.#firstLine ??= text.slice(0, 4000);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#notJson(text, (error as Error).message, last);
      return;
    }
    if (!isRecord(value)) {
      const faults = faultsOf(value);
      for (const { key, message } of faults) this.#problem(columnOf(text, key), message);
      if (faults.length > 0) return;
    }
    const record = recordOf(value as RawRecord, this.#lineNumber, this.#skew);
    this.#records++;
    for (const name in record.stages) {
      if (!this.stagePlaces.has(name))
        this.stagePlaces.set(name, `${this.#file}:${this.#lineNumber}:${columnOf(text, name)}`);
    }
    if ((value as RawRecord).total_ms === undefined) this.#withoutTotal++;
    this.#take(record);
  }

  #notJson(text: string, message: string, last: boolean): void {
    const position = Number(
      /position (\d+)/.exec(message)?.[1] ?? (/end of JSON/.test(message) ? text.length : Number.NaN),
    );
    // Writers in other languages put these where JSON has only numbers; V8 does not say where a
    // wrong word stands.
    const word = /\b(?:NaN|nan|Infinity|inf|undefined|None)\b/.exec(text);
    if (last && position >= text.trimEnd().length) {
      this.#problem(position + 1, 'the file ends in the middle of a record: it is truncated');
    } else if (word) this.#problem(word.index + 1, `${word[0]} is not JSON; a duration is a number, 0 or more`);
    else this.#problem((position || 0) + 1, `not JSON, ${jsonBreak(text, position || 0)}`);
  }

  #problem(column: number, message: string): void {
    this.problems.add({ where: `${this.#file}:${this.#lineNumber}:${column}`, message });
  }
}

/** Problems of a file that may have millions: the first are kept, the rest counted. */
export class ProblemList {
  readonly first: Problem[] = [];
  count = 0;

  add(problem: Problem): void {
    this.count++;
    if (this.first.length < shownProblems) this.first.push(problem);
  }

  /** The first `most` of those kept, and a line that counts the rest. */
  all(most = shownProblems): Problem[] {
    const first = this.first.slice(0, most);
    const more = this.count - first.length;
    return more > 0 ? [...first, { message: `and ${more} more like these` }] : first;
  }
}

const shownProblems = 20;
const longestLine = 16_000_000;

/** Where JSON breaks off, for a sentence: `from "},,{" on`, or at the end. */
export function jsonBreak(text: string, position: number): string {
  const rest = text.slice(position, position + 20).trim();
  return rest === '' ? 'it ends too early' : `from ${JSON.stringify(rest)} on`;
}

/** Where a key stands in its line, from 1; where it is no key, the line's begin. */
function columnOf(text: string, key: string): number {
  if (key === '') return 1;
  const name = JSON.stringify(key);
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (/^\s*:/.test(text.slice(at + name.length, at + name.length + 20))) return at + 1;
  }
  return 1;
}

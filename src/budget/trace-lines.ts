import { type Problem, SpeechfbError } from '../errors.ts';
import { type RawSpan, spansFault, stagesOfSpans } from './trace-spans.ts';
import type { TraceRecord } from './trace-table.ts';

/**
 * Reads trace records, one JSON object a line:
 * `{"at_ms", "session", "profile", "language", "device", "total_ms", "stages": {"uplink": ms, ...}}`. Only `stages` is
 * needed, or `spans` in its place; without `total_ms` the total is the sum of the stages; `"total_ms": null` is a feedback
 * that never came. Other keys may be there and are not read. Text comes in pieces of any size.
 */
export class TraceLineReader {
  readonly problems: ProblemList;
  /** `file:line:column` of each trace stage where it first stands. */
  readonly stagePlaces = new Map<string, string>();
  readonly #file: string;
  readonly #take: (record: TraceRecord) => void;
  #rest = '';
  #lineNumber = 0;
  #withoutTotal = 0;

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
      const hint = 'trace records stand one JSON object a line; OTLP documents are read with --otlp';
      throw new SpeechfbError(
        'bad_traces',
        `${this.#file}:${this.#lineNumber + 1} is longer than ${longestLine} characters`,
        {
          hint,
        },
      );
    }
  }

  end(): void {
    if (this.#rest.trim() !== '') this.#read(this.#rest, true);
  }

  /** What the reader should know though it is no mistake. */
  notes(): string[] {
    if (this.#withoutTotal === 0) return [];
    return [`${this.#withoutTotal} traces have no total_ms: their total is the sum of their stages`];
  }

  #read(text: string, last: boolean): void {
    this.#lineNumber++;
    if (text.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.#notJson(text, (error as Error).message, last);
      return;
    }
    const fault = faultOf(value);
    if (fault) {
      this.#problem(columnOf(text, fault.key), fault.message);
      return;
    }
    const record = recordOf(value as RawRecord, this.#lineNumber);
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
    // Writers in other languages put these where JSON has only numbers; V8 does not say where a wrong word stands.
    const word = /\b(?:NaN|nan|Infinity|inf|undefined|None)\b/.exec(text);
    if (last && position >= text.trimEnd().length) {
      this.#problem(position + 1, 'the file ends in the middle of a record: it is truncated');
    } else if (word) this.#problem(word.index + 1, `${word[0]} is not JSON; a duration is a number, 0 or more`);
    else this.#problem((position || 0) + 1, `not JSON: ${message}`);
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

  /** Those kept, and a line that counts the rest. */
  all(): Problem[] {
    const more = this.count - this.first.length;
    return more > 0 ? [...this.first, { message: `and ${more} more like these` }] : this.first;
  }
}

const shownProblems = 20;
const longestLine = 16_000_000;

type RawRecord = {
  at_ms?: number;
  session?: string;
  profile?: string;
  language?: string;
  device?: string;
  total_ms?: number | null;
  stages?: Record<string, number>;
  spans?: RawSpan[];
};

const textKeys = ['session', 'profile', 'language', 'device'] as const;

function faultOf(value: unknown): { key: string; message: string } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      key: '',
      message: `${shown(value)} is not a trace record; write {"total_ms": 412.5, "stages": {"asr": 170}}`,
    };
  }
  const record = value as Record<string, unknown>;
  const stages = record.stages ?? (record.spans === undefined ? undefined : {});
  if (typeof stages !== 'object' || stages === null || Array.isArray(stages)) {
    return { key: 'stages', message: `stages: ${shown(stages)} is not an object of stage durations in ms` };
  }
  for (const name in stages) {
    const ms = (stages as Record<string, unknown>)[name];
    if (!isDuration(ms))
      return { key: name, message: `stages.${name}: ${shown(ms)} is not a duration in ms, 0 or more` };
  }
  const spans = record.stages === undefined && record.spans !== undefined ? spansFault(record.spans) : undefined;
  if (spans) return { key: 'spans', message: spans };
  const total = record.total_ms;
  if (total !== undefined && total !== null && !isDuration(total)) {
    return {
      key: 'total_ms',
      message: `total_ms: ${shown(total)} is not a duration in ms, 0 or more; null is "never came"`,
    };
  }
  for (const key of textKeys) {
    if (record[key] !== undefined && record[key] !== null && typeof record[key] !== 'string') {
      return { key, message: `${key}: ${shown(record[key])} is not text` };
    }
  }
  return undefined;
}

function recordOf(raw: RawRecord, line: number): TraceRecord {
  const path = raw.stages ? undefined : stagesOfSpans(raw.spans ?? []);
  const stages = raw.stages ?? path?.stages ?? {};
  return {
    totalMs: raw.total_ms === null ? Number.POSITIVE_INFINITY : (raw.total_ms ?? path?.totalMs ?? sumOf(stages)),
    stages,
    atMs: raw.at_ms,
    session: raw.session,
    labels: raw as TraceRecord['labels'],
    line,
  };
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function sumOf(stages: Record<string, number>): number {
  let sum = 0;
  for (const name in stages) sum += stages[name]!;
  return sum;
}

function columnOf(text: string, key: string): number {
  return Math.max(0, text.indexOf(`"${key}"`)) + 1;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 40 ? `${json.slice(0, 37)}...` : json;
}

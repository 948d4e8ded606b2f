import { createRandom } from '../../stats/random.ts';
import { Reservoir } from '../../stats/reservoir.ts';
import { type SplitLabel, splitLabels } from './split-labels.ts';

/**
 * One feedback event, as any trace format gives it. Times in ms; `totalMs` Infinity when the
 * feedback never came.
 */
export type TraceRecord = {
  totalMs: number;
  stages: Readonly<Record<string, number>>;
  atMs: number | undefined;
  session: string | undefined;
  labels: Partial<Record<SplitLabel, string | null>>;
  /** Where the record stands in its file, from 1. */
  line: number;
};

/** Traces in columns, so that a million take tens of bytes each and not a kilobyte. */
export type TraceTable = {
  n: number;
  /** Traces read; more than `n` when a sample of them was kept. */
  seen: number;
  /** A trace stage each; 0 where a trace does not name it. */
  stages: ReadonlyMap<string, { ms: Float64Array; firstLine: number }>;
  totals: Float64Array;
  atMs: Float64Array;
  lines: Float64Array;
  sessions: readonly (string | undefined)[];
  labels: Readonly<Record<SplitLabel, { codes: Uint32Array; values: readonly string[] }>>;
};

/** Most traces kept in memory; of more, a uniform random sample stays (reservoir, seeded). */
const defaultTraceLimit = 2_000_000;

/** Builds a table from records as they are read. */
export class TraceTableBuilder {
  readonly #limit: number;
  readonly #sample: Reservoir;
  #never = 0;
  #capacity = 1024;
  #totals = new Float64Array(this.#capacity);
  #atMs = new Float64Array(this.#capacity);
  #lines = new Float64Array(this.#capacity);
  readonly #sessions: (string | undefined)[] = [];
  readonly #stages = new Map<string, { ms: Float64Array<ArrayBuffer>; firstLine: number }>();
  readonly #labels = {
    profile: new LabelColumn(this.#capacity),
    language: new LabelColumn(this.#capacity),
    device: new LabelColumn(this.#capacity),
  };

  constructor(options: { limit?: number; seed?: number } = {}) {
    this.#limit = options.limit ?? defaultTraceLimit;
    this.#sample = new Reservoir(this.#limit, createRandom(options.seed ?? 1).uniform);
  }

  /** Traces added so far, and those among them whose feedback never came. */
  get seen(): number {
    return this.#sample.seen;
  }

  get never(): number {
    return this.#never;
  }

  add(record: TraceRecord): void {
    if (record.totalMs === Number.POSITIVE_INFINITY) this.#never++;
    if (!this.#sample.wants()) return;
    const slot = this.#sample.place();
    if (slot >= this.#capacity) this.#grow();
    this.#totals[slot] = record.totalMs;
    this.#atMs[slot] = record.atMs ?? Number.NaN;
    this.#lines[slot] = record.line;
    this.#sessions[slot] = record.session;
    for (const column of this.#stages.values()) column.ms[slot] = 0;
    for (const name in record.stages) this.#stage(name, record.line).ms[slot] = record.stages[name]!;
    for (const label of splitLabels) this.#labels[label].set(slot, record.labels[label]);
  }

  finish(): TraceTable {
    const n = Math.min(this.seen, this.#limit);
    return {
      n,
      seen: this.seen,
      stages: new Map([...this.#stages].map(([name, column]) => [name, { ...column, ms: column.ms.subarray(0, n) }])),
      totals: this.#totals.subarray(0, n),
      atMs: this.#atMs.subarray(0, n),
      lines: this.#lines.subarray(0, n),
      sessions: this.#sessions,
      labels: {
        profile: this.#labels.profile.finish(n),
        language: this.#labels.language.finish(n),
        device: this.#labels.device.finish(n),
      },
    };
  }

  #stage(name: string, line: number): { ms: Float64Array } {
    const known = this.#stages.get(name);
    if (known) return known;
    const column = { ms: new Float64Array(this.#capacity), firstLine: line };
    this.#stages.set(name, column);
    return column;
  }

  #grow(): void {
    this.#capacity = Math.min(this.#limit, this.#capacity * 2);
    this.#totals = grown(this.#totals, this.#capacity);
    this.#atMs = grown(this.#atMs, this.#capacity);
    this.#lines = grown(this.#lines, this.#capacity);
    for (const column of this.#stages.values()) column.ms = grown(column.ms, this.#capacity);
    for (const label of splitLabels) this.#labels[label].grow(this.#capacity);
  }
}

/** A label a trace as a number into the list of values; an absent label is `(none)`. */
class LabelColumn {
  #codes: Uint32Array;
  readonly #byValue = new Map<string, number>();

  constructor(capacity: number) {
    this.#codes = new Uint32Array(capacity);
  }

  set(slot: number, given: string | null | undefined): void {
    const value = given ?? '(none)';
    let code = this.#byValue.get(value);
    if (code === undefined) {
      code = this.#byValue.size;
      this.#byValue.set(value, code);
    }
    this.#codes[slot] = code;
  }

  grow(capacity: number): void {
    const codes = new Uint32Array(capacity);
    codes.set(this.#codes);
    this.#codes = codes;
  }

  finish(n: number): { codes: Uint32Array; values: readonly string[] } {
    return { codes: this.#codes.subarray(0, n), values: [...this.#byValue.keys()] };
  }
}

function grown(column: Float64Array<ArrayBuffer>, capacity: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

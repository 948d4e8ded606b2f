import { createRandom, type Random } from '../stats/random-stream.ts';
import { type LatencyParts, namedParts, reportStages } from './latency-stages.ts';
import type { Trace } from './trace.ts';
import { traceBytes } from './trace-bytes.ts';

/** Whose a trace is. */
export type TraceOwner = Pick<Trace, 'session' | 'profile' | 'language'>;

/**
 * Keeps a uniform sample of at most `limit` traces, so that a soak test's file stays small: Li's algorithm L (1994), which
 * draws how many it passes over, and not again for each.
 */
export class TraceSink {
  readonly #limit: number;
  readonly #random: Random;
  /** Kept as numbers, a row each, until they are asked for: thousands of objects would be walked by each collection. */
  readonly #owners: TraceOwner[] = [];
  #rows = new Float64Array(256 * columns);
  #seen = 0;
  /** The next that is taken once `limit` are kept, and what is drawn to find the one after. */
  #next: number;
  #weight = 1;

  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#random = createRandom(seed, 0x7ace);
    this.#next = limit;
    this.#pass();
  }

  /** Another is there; whether it is wanted, by `keep`. */
  wants(): boolean {
    this.#seen += 1;
    return this.#owners.length < this.#limit || this.#seen === this.#next;
  }

  /** `atMs`: since the start of the test. */
  keep(owner: TraceOwner, atMs: number, totalMs: number, stages: LatencyParts): void {
    const full = this.#owners.length === this.#limit;
    const row = full ? Math.floor(this.#random() * this.#limit) : this.#owners.length;
    this.#owners[row] = owner;
    if ((row + 1) * columns > this.#rows.length) this.#grow();
    this.#rows[row * columns] = atMs;
    this.#rows[row * columns + 1] = totalMs;
    this.#rows.set(stages, row * columns + 2);
    if (full) this.#pass();
  }

  /** How many it was asked to keep. */
  get seen(): number {
    return this.#seen;
  }

  /** In order of time. */
  taken(): Trace[] {
    return inOrder(this.#owners.map((owner, row) => this.#trace(owner, row * columns)));
  }

  #trace({ session, profile, language }: TraceOwner, from: number): Trace {
    const [at_ms, total_ms, ...stages] = this.#rows.subarray(from, from + columns).map(round);
    return { at_ms: at_ms!, session, profile, language, total_ms: total_ms!, stages: namedParts(stages) };
  }

  #grow(): void {
    const rows = new Float64Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }

  #pass(): void {
    this.#weight *= Math.exp(Math.log(1 - this.#random()) / this.#limit);
    this.#next += Math.floor(Math.log(1 - this.#random()) / Math.log(1 - this.#weight)) + 1;
  }
}

/** Of a trace's numbers: when it was, the whole latency, its stages. */
const columns = 2 + reportStages.length;

/** To the us. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Traces in order of time: a uniform sample of `tracesSeen`. */
export type SampledTraces = { traces: Trace[]; tracesSeen: number };

/**
 * A uniform sample of what several samples were taken from: each gives as many as a draw without replacement takes of its.
 * At most `limit` traces and `bytes` of NDJSON, whichever is less; a single one within both is its own sample.
 */
export function mergeTraces(
  parts: readonly SampledTraces[],
  seed: number,
  { limit, bytes }: { limit: number; bytes: number } = traceLimits,
): SampledTraces {
  const bytesOf = traceBytes();
  const only = parts.length === 1 ? parts[0]! : undefined;
  if (only && only.traces.length <= limit && fits(only.traces, bytes, bytesOf)) return only;
  const random = createRandom(seed, 0x7acf);
  const left = parts.map(({ traces, tracesSeen }) => ({ traces: [...traces], unseen: tracesSeen }));
  const tracesSeen = parts.reduce((sum, part) => sum + part.tracesSeen, 0);
  const traces: Trace[] = [];
  let room = bytes;
  for (let total = tracesSeen; total > 0 && traces.length < limit; total--) {
    let place = Math.floor(random() * total);
    const part = left.find(({ unseen }) => {
      if (place < unseen) return true;
      place -= unseen;
      return false;
    })!;
    part.unseen -= 1;
    // It kept fewer than are wanted of it, for their bytes: to go on without it would favour the others.
    if (part.traces.length === 0) break;
    const trace = takeAny(part.traces, random);
    // Drawn in random order, so that whatever fits is a uniform sample too.
    room -= bytesOf(trace);
    if (room < 0) break;
    traces.push(trace);
  }
  return { traces: inOrder(traces), tracesSeen };
}

function fits(traces: readonly Trace[], bytes: number, bytesOf: (trace: Trace) => number): boolean {
  let room = bytes;
  return traces.every((trace) => {
    room -= bytesOf(trace);
    return room >= 0;
  });
}

/** Takes any one out of a list that has one; the last comes in its place, since the order means nothing. */
function takeAny<T>(list: T[], random: Random): T {
  const place = Math.floor(random() * list.length);
  const taken = list[place]!;
  list[place] = list.at(-1)!;
  list.pop();
  return taken;
}

function inOrder(traces: readonly Trace[]): Trace[] {
  return traces.toSorted((a, b) => a.at_ms - b.at_ms);
}

/** What one test keeps: a million feedbacks in a soak test are a file of 1 MB, compressed. */
export const traceLimits = { limit: 20_000, bytes: 8 * 1024 * 1024 } as const;

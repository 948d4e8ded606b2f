import { createRandomStream, type RandomStream } from '../stats/random-stream.ts';
import { Reservoir } from '../stats/reservoir.ts';
import { type LatencyParts, namedParts, reportStages } from './latency-stages.ts';
import type { Trace } from './trace.ts';

/** Session, network and language that a trace belongs to. */
export type TraceOwner = Pick<Trace, 'session' | 'profile' | 'language'>;

/**
 * Keeps a uniform sample of at most `limit` traces, so that the file of a soak test stays small. A
 * session's name is kept up to 64 characters, since the server chooses it.
 */
export class TraceSink {
  readonly #sample: Reservoir;
  /**
   * Kept as numbers, a row each, until they are asked for: thousands of objects would be walked by
   * each collection.
   */
  readonly #owners: TraceOwner[] = [];
  #rows = new Float64Array(256 * columns);

  constructor(limit: number, seed: number) {
    this.#sample = new Reservoir(limit, createRandomStream(seed, 0x7ace));
  }

  /** Counts one more trace and tells whether it is wanted, by `keep`. */
  wants(): boolean {
    return this.#sample.wants();
  }

  /** `atMs`: since the start of the test; `utterance`: its place in the session. */
  keep(owner: TraceOwner, atMs: number, totalMs: number, stages: LatencyParts, utterance = Number.NaN): void {
    const row = this.#sample.place();
    this.#owners[row] = owner;
    if ((row + 1) * columns > this.#rows.length) this.#grow();
    this.#rows[row * columns] = atMs;
    this.#rows[row * columns + 1] = totalMs;
    this.#rows[row * columns + 2] = utterance;
    this.#rows.set(stages, row * columns + 3);
  }

  /** How many traces it was asked to keep. */
  get seen(): number {
    return this.#sample.seen;
  }

  /** The kept traces, in order of time. */
  taken(): Trace[] {
    return inOrder(this.#owners.map((owner, row) => this.#trace(owner, row * columns)));
  }

  #trace({ session, profile, language }: TraceOwner, from: number): Trace {
    const [at_ms, total_ms, place, ...stages] = this.#rows.subarray(from, from + columns).map(round);
    const whose = { session: session.slice(0, mostSessionChars), profile, language };
    const utterance = Number.isNaN(place) ? undefined : place;
    return { at_ms: at_ms!, ...whose, utterance, total_ms: total_ms!, stages: namedParts(stages) };
  }

  #grow(): void {
    const rows = new Float64Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Numbers of a trace: when it was, the whole latency, the utterance, its stages. */
const columns = 3 + reportStages.length;
const mostSessionChars = 64;

/** Rounds to whole us. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Traces in order of time: a uniform sample of `tracesSeen`. */
export type SampledTraces = { traces: Trace[]; tracesSeen: number };

/**
 * A uniform sample of what several samples were taken from: each gives as many as a draw without
 * replacement takes of its. At most `limit` traces; a single sample within that is its own.
 */
export function mergeTraces(parts: readonly SampledTraces[], seed: number, limit = traceLimit): SampledTraces {
  const only = parts.length === 1 ? parts[0]! : undefined;
  if (only && only.traces.length <= limit) return only;
  const random = createRandomStream(seed, 0x7acf);
  const left = parts.map(({ traces, tracesSeen }) => ({ traces: [...traces], unseen: tracesSeen }));
  const tracesSeen = parts.reduce((sum, part) => sum + part.tracesSeen, 0);
  const traces: Trace[] = [];
  for (let total = tracesSeen; total > 0 && traces.length < limit; total--) {
    let place = Math.floor(random() * total);
    const part = left.find(({ unseen }) => {
      if (place < unseen) return true;
      place -= unseen;
      return false;
    })!;
    part.unseen -= 1;
    // It kept fewer than are wanted of it: to go on without it would favour the others.
    if (part.traces.length === 0) break;
    traces.push(takeAny(part.traces, random));
  }
  return { traces: inOrder(traces), tracesSeen };
}

/**
 * Takes any one out of a list that has one; the last comes in its place, since the order means
 * nothing.
 */
function takeAny<T>(list: T[], random: RandomStream): T {
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
export const traceLimit = 20_000;

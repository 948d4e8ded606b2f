import { createRandom, type Random } from '../sim/random.ts';
import type { ReportStage } from './stages.ts';

/** One feedback event as `traces.ndjson` holds it; names of the stages as in reports, times in ms. */
export type Trace = {
  /** Since the start of the test. */
  at_ms: number;
  session: string;
  profile: string;
  language: string;
  total_ms: number;
  stages: Partial<Record<ReportStage, number>>;
};

/** Keeps a uniform sample of at most `limit` traces (Vitter's algorithm R), so that a soak test's file stays small. */
export class TraceSink {
  readonly #limit: number;
  readonly #random: Random;
  readonly #kept: Trace[] = [];
  #seen = 0;

  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#random = createRandom(seed, 0x7ace);
  }

  add(make: () => Trace): void {
    this.#seen += 1;
    if (this.#kept.length < this.#limit) {
      this.#kept.push(make());
      return;
    }
    const place = Math.floor(this.#random() * this.#seen);
    if (place < this.#limit) this.#kept[place] = make();
  }

  /** How many it was asked to keep. */
  get seen(): number {
    return this.#seen;
  }

  /** In order of time. */
  taken(): Trace[] {
    return inOrder(this.#kept);
  }
}

/** Traces in order of time: a uniform sample of `tracesSeen`. */
export type SampledTraces = { traces: Trace[]; tracesSeen: number };

/**
 * A uniform sample of what several samples were taken from: each gives as many as a draw without replacement takes of its.
 * At most `limit` traces and `bytes` of NDJSON, whichever is less.
 */
export function mergeTraces(
  parts: readonly SampledTraces[],
  seed: number,
  { limit, bytes }: { limit: number; bytes: number } = traceLimits,
): SampledTraces {
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
    const [trace] = part.traces.splice(Math.floor(random() * part.traces.length), 1);
    // Drawn in random order, so that whatever fits is a uniform sample too.
    room -= Buffer.byteLength(JSON.stringify(trace)) + 1;
    if (room < 0) break;
    traces.push(trace!);
  }
  return { traces: inOrder(traces), tracesSeen };
}

function inOrder(traces: readonly Trace[]): Trace[] {
  return traces.toSorted((a, b) => a.at_ms - b.at_ms);
}

/** What one test keeps: a million feedbacks in a soak test are a file of 1 MB, compressed. */
export const traceLimits = { limit: 20_000, bytes: 8 * 1024 * 1024 } as const;

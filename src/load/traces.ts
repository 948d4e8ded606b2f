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

  /** In order of time. */
  taken(): Trace[] {
    return this.#kept.toSorted((a, b) => a.at_ms - b.at_ms);
  }
}

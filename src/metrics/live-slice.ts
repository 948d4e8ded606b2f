import type { DistributionName, Labels } from './definitions.ts';
import type { ReportStage } from './latency-stages.ts';
import { type FreshLatencies, LiveLatencies } from './live-latencies.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

export type Series = DistributionName | `stage.${ReportStage}`;

/** What one slice saw since the last look. */
export type SliceDelta = {
  labels: Labels;
  /** Series with new values. */
  series: readonly ({ name: Series } & FreshLatencies)[];
  tally: Partial<Tally>;
};

/** One slice of a running test, added up from what generators say is new. */
export class LiveSlice {
  readonly labels: Labels;
  readonly tally: Tally = emptyTally();
  readonly #series = new Map<Series, LiveLatencies>();

  constructor(labels: Labels) {
    this.labels = labels;
  }

  /** Made when it is first asked for. */
  of(name: Series): LiveLatencies {
    let latencies = this.#series.get(name);
    if (!latencies) {
      latencies = new LiveLatencies();
      this.#series.set(name, latencies);
    }
    return latencies;
  }

  add({ series, tally }: SliceDelta): void {
    for (const fresh of series) this.of(fresh.name).add(fresh);
    addTally(this.tally, tally);
  }

  /** The series if anything was recorded in it. */
  known(name: Series): LiveLatencies | undefined {
    return this.#series.get(name);
  }
}

/** Several slices as one; a series is added up when it is first asked for. */
export class LiveView {
  readonly tally: Tally = emptyTally();
  readonly #slices: readonly LiveSlice[];
  readonly #series = new Map<Series, LiveLatencies>();

  constructor(slices: readonly LiveSlice[]) {
    this.#slices = slices;
    for (const slice of slices) addTally(this.tally, slice.tally);
  }

  of(name: Series): LiveLatencies {
    let sum = this.#series.get(name);
    if (!sum) {
      sum = this.#added(name);
      this.#series.set(name, sum);
    }
    return sum;
  }

  #added(name: Series): LiveLatencies {
    const parts = this.#slices.flatMap((slice) => slice.known(name) ?? []);
    if (parts.length === 1) return parts[0]!;
    const sum = new LiveLatencies();
    for (const part of parts) sum.merge(part);
    return sum;
  }
}

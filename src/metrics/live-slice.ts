import type { DistributionName, Labels } from './definitions.ts';
import type { ReportStage } from './latency-stages.ts';
import { type DigestDelta, LiveDigest } from './live-digest.ts';
import { addTally, emptyTally, type Tally, tallyNames } from './tally.ts';

export type Series = DistributionName | `stage.${ReportStage}`;

/** What one slice saw since the last look. */
export type SliceDelta = {
  labels: Labels;
  series: readonly { name: Series; delta: DigestDelta }[];
  tally: Partial<Tally>;
};

/** One slice of a running test, coarse and cheap: written beside the exact one, or added up from others' deltas. */
export class LiveSlice {
  readonly labels: Labels;
  readonly tally: Tally = emptyTally();
  readonly #series = new Map<Series, LiveDigest>();
  #reported: Tally = emptyTally();

  constructor(labels: Labels) {
    this.labels = labels;
  }

  /** Made when it is first asked for. */
  of(name: Series): LiveDigest {
    let digest = this.#series.get(name);
    if (!digest) {
      digest = new LiveDigest();
      this.#series.set(name, digest);
    }
    return digest;
  }

  /** `counted` is the slice's exact tally, of which the difference is reported. */
  takeDelta(counted: Tally): SliceDelta {
    const series = [...this.#series].flatMap(([name, digest]) => {
      const delta = digest.takeDelta();
      return delta ? [{ name, delta }] : [];
    });
    const changed = tallyNames.filter((name) => counted[name] !== this.#reported[name]);
    const tally = Object.fromEntries(changed.map((name) => [name, counted[name] - this.#reported[name]]));
    this.#reported = { ...counted };
    return { labels: this.labels, series, tally };
  }

  add({ series, tally }: SliceDelta): void {
    for (const { name, delta } of series) this.of(name).add(delta);
    addTally(this.tally, tally);
  }

  /** The series if anything was recorded in it. */
  known(name: Series): LiveDigest | undefined {
    return this.#series.get(name);
  }
}

/** Several slices as one; a series is added up when it is first asked for. */
export class LiveView {
  readonly tally: Tally = emptyTally();
  readonly #slices: readonly LiveSlice[];
  readonly #series = new Map<Series, LiveDigest>();

  constructor(slices: readonly LiveSlice[]) {
    this.#slices = slices;
    for (const slice of slices) addTally(this.tally, slice.tally);
  }

  of(name: Series): LiveDigest {
    let sum = this.#series.get(name);
    if (!sum) {
      sum = new LiveDigest();
      for (const slice of this.#slices) {
        const digest = slice.known(name);
        if (digest) sum.merge(digest);
      }
      this.#series.set(name, sum);
    }
    return sum;
  }
}

import { type Distribution, fits, type Labels, labelKey, type Selector } from './definitions.ts';
import { type EncodedSlice, Slice } from './slice.ts';

/**
 * Everything one shard measured, in a form that crosses a thread or a machine and adds up with
 * others'.
 */
export type Recording = { slices: readonly EncodedSlice[] };

/** What the learners of a test write into while it runs: a slice for each profile and language. */
export class Recorder implements Disposable {
  readonly #slices = new Map<string, Slice>();

  constructor(recording?: Recording) {
    if (recording) this.add(recording);
  }

  /** The slice of these labels, made when it is first asked for. */
  slice(labels: Labels): Slice {
    const key = labelKey(labels);
    let slice = this.#slices.get(key);
    if (!slice) {
      slice = new Slice(labels);
      this.#slices.set(key, slice);
    }
    return slice;
  }

  /** In order of profile and language; their phases as they came. */
  get slices(): readonly Slice[] {
    const order = ({ labels: { phase: _, ...labels } }: Slice) => labelKey(labels);
    return [...this.#slices.values()].sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
  }

  /**
   * All slices that fit, added up, as one of its own that the caller disposes of; labels that the
   * selector leaves open are ''.
   */
  merged(selector: Selector = {}): Slice {
    const sum = new Slice({ profile: '', language: '', ...selector });
    for (const slice of this.slices) if (fits(slice.labels, selector)) sum.merge(slice);
    return sum;
  }

  encode(): Recording {
    return { slices: this.slices.map((slice) => slice.encode()) };
  }

  /** Adds what another recorder encoded; exact, in any order. */
  add(recording: Recording): void {
    for (const slice of recording.slices) this.slice(slice.labels).add(slice);
  }

  [Symbol.dispose](): void {
    for (const slice of this.#slices.values()) slice[Symbol.dispose]();
    this.#slices.clear();
  }
}

/** Latencies with the labels that they were measured for, `metric` among them. */
export type LabelledDistribution = { labels: Readonly<Record<string, string>>; distribution: Distribution };

/**
 * Every latency that was measured, by metric, profile and language; alive as long as the recorder.
 */
export function labelledLatencies(recorder: Recorder): LabelledDistribution[] {
  return recorder.slices.flatMap(({ labels, distributions }) =>
    Object.entries(distributions)
      .filter(([, { samples }]) => samples > 0)
      .map(([metric, distribution]) => ({ labels: { metric, ...labels }, distribution })),
  );
}

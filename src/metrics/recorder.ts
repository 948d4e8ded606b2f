import { BackendRecord, type EncodedBackend } from './backend-record.ts';
import { type Distribution, fits, type Labels, labelKey, type Selector } from './definitions.ts';
import { type EncodedSlice, Slice } from './slice.ts';

/**
 * Everything one shard measured, in a form that crosses a thread or a machine and adds up with
 * others'.
 */
export type Recording = {
  slices: readonly EncodedSlice[];
  /** Absent: the server does not say what writes its transcripts. */
  backends?: readonly EncodedBackend[] | undefined;
};

/** What the learners of a test write into while it runs: a slice for each profile and language. */
export class Recorder implements Disposable {
  readonly #slices = new Map<string, Slice>();
  readonly #backends = new Map<string, BackendRecord>();

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

  /** The record of a backend; a server that names ever more of them has the rest in one. */
  backend(named: string): BackendRecord {
    const known = this.#backends.get(named);
    if (known) return known;
    const name = this.#backends.size < mostBackends ? named.slice(0, longestName) : otherBackends;
    const record = this.#backends.get(name) ?? new BackendRecord(name);
    this.#backends.set(name, record);
    return record;
  }

  /** In order of their names. */
  get backends(): readonly BackendRecord[] {
    return [...this.#backends.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
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
    const backends = this.backends.map((backend) => backend.encode());
    return { slices: this.slices.map((slice) => slice.encode()), ...(backends.length > 0 && { backends }) };
  }

  /** Adds what another recorder encoded; exact, in any order. */
  add(recording: Recording): void {
    for (const slice of recording.slices) this.slice(slice.labels).add(slice);
    for (const backend of recording.backends ?? []) this.backend(backend.name).add(backend);
  }

  [Symbol.dispose](): void {
    for (const slice of this.#slices.values()) slice[Symbol.dispose]();
    this.#slices.clear();
    for (const backend of this.#backends.values()) backend[Symbol.dispose]();
    this.#backends.clear();
  }
}

const mostBackends = 50;
const longestName = 100;
const otherBackends = '(others)';

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

import { addClusterSums, type ClusterSums, emptyClusterSums } from './cluster-sums.ts';
import { type DistributionName, distributionNames, type Labels, labelKey } from './definitions.ts';
import { type EncodedHistogram, LatencyHistogram } from './histogram.ts';
import { type LatencyParts, type ReportStage, reportStages } from './latency-stages.ts';
import type { Series, SliceDelta } from './live-slice.ts';
import { addTally, emptyTally, type Tally, tallyNames } from './tally.ts';

/**
 * One slice in a form that crosses a thread and adds up with others'; a histogram without samples
 * is left out.
 */
export type EncodedSlice = {
  labels: Labels;
  distributions: Partial<Record<DistributionName, EncodedHistogram>>;
  stages: Partial<Record<ReportStage, EncodedHistogram>>;
  tally: Tally;
  clusters: Readonly<Record<string, ClusterSums>>;
};

/** What learners of one profile, language and tenant write into while a test runs. */
export class Slice implements Disposable {
  readonly labels: Labels;
  readonly distributions = each(distributionNames, () => new LatencyHistogram());
  readonly #stages = each(reportStages, () => new LatencyHistogram());
  readonly tally = emptyTally();
  /** How its sessions stand against each objective, by what is written. */
  readonly clusters: Record<string, ClusterSums> = {};
  /** The same by profile and language, of this slice and of those that were merged into it. */
  readonly #strata: Map<string, Record<string, ClusterSums>>;
  /**
   * For those who look at the test while it runs: what never came since the last look, and the
   * tally that it told.
   */
  readonly #freshNever = new Map<Series, number>();
  #toldTally = emptyTally();
  /**
   * Latencies that were split last, a row of parts each. They go into their histograms many at a
   * time: a dozen of them for each feedback would be two dozen waits for memory.
   */
  readonly #rows = new Float64Array(rowsAtOnce * reportStages.length);
  #used = 0;

  constructor(labels: Labels) {
    this.labels = labels;
    this.#strata = new Map([[stratumOf(labels), this.clusters]]);
  }

  /** The sessions of each profile, language and tenant: how many there are of each is planned. */
  get strata(): readonly Readonly<Record<string, ClusterSums>>[] {
    return [...this.#strata.values()];
  }

  /** One latency, ms, Infinity when it never came; not `live`: the live view already has it. */
  record(name: DistributionName, ms: number, live = true): void {
    if (!live) this.distributions[name].recordQuietly(ms);
    else if (ms === Number.POSITIVE_INFINITY) {
      this.distributions[name].recordNever(1);
      this.showNever(name, 1);
    } else this.distributions[name].record(ms);
  }

  /** Latencies by stage, with all that was recorded. */
  get stages(): Readonly<Record<ReportStage, LatencyHistogram>> {
    this.#settleRows();
    return this.#stages;
  }

  recordStages(parts: LatencyParts): void {
    if (this.#used === this.#rows.length) this.#settleRows();
    for (let i = 0; i < parts.length; i++) this.#rows[this.#used + i] = parts[i]!;
    this.#used += parts.length;
  }

  /** Adds `count` long overdue ones, to the live view alone. */
  showNever(name: DistributionName, count: number): void {
    this.#freshNever.set(name, (this.#freshNever.get(name) ?? 0) + count);
  }

  /** What is new since the last look, for the live view. */
  look(): SliceDelta {
    const { stages } = this;
    const series = [
      ...distributionNames.map((name) => this.#fresh(name, this.distributions[name])),
      ...reportStages.map((stage) => this.#fresh(`stage.${stage}`, stages[stage])),
    ].filter(({ counts, never }) => counts.length > 0 || never > 0);
    this.#freshNever.clear();
    const changed = tallyNames.filter((name) => this.tally[name] !== this.#toldTally[name]);
    const tally = Object.fromEntries(changed.map((name) => [name, this.tally[name] - this.#toldTally[name]]));
    this.#toldTally = { ...this.tally };
    return { labels: this.labels, series, tally };
  }

  encode(): EncodedSlice {
    return {
      labels: this.labels,
      distributions: encoded(this.distributions),
      stages: encoded(this.stages),
      tally: { ...this.tally },
      clusters: structuredClone(this.clusters),
    };
  }

  /** Adds what another slice holds; exact. */
  merge(other: Slice): void {
    for (const name of distributionNames) this.distributions[name].add(other.distributions[name]);
    const { stages } = this;
    const others = other.stages;
    for (const name of reportStages) stages[name].add(others[name]);
    addTally(this.tally, other.tally);
    for (const [stratum, clusters] of other.#strata) {
      if (!this.#strata.has(stratum)) this.#strata.set(stratum, {});
      addClusters(this.#strata.get(stratum)!, clusters);
    }
  }

  /** Adds what another slice encoded; exact. */
  add(slice: EncodedSlice): void {
    for (const name of distributionNames) addEncoded(this.distributions[name], slice.distributions[name]);
    const { stages } = this;
    for (const name of reportStages) addEncoded(stages[name], slice.stages[name]);
    addTally(this.tally, slice.tally);
    addClusters(this.clusters, slice.clusters);
  }

  [Symbol.dispose](): void {
    for (const name of distributionNames) this.distributions[name][Symbol.dispose]();
    for (const name of reportStages) this.#stages[name][Symbol.dispose]();
  }

  #settleRows(): void {
    const columns = reportStages.length;
    for (let stage = 0; stage < columns; stage++) {
      const histogram = this.#stages[reportStages[stage]!];
      for (let at = stage; at < this.#used; at += columns) histogram.record(this.#rows[at]!);
    }
    this.#used = 0;
  }

  #fresh(name: Series, histogram: LatencyHistogram): SliceDelta['series'][number] {
    return { name, counts: histogram.takeFresh(), never: this.#freshNever.get(name) ?? 0 };
  }
}

const rowsAtOnce = 64;

function stratumOf({ phase: _, ...labels }: Labels): string {
  return labelKey(labels);
}

function addClusters(into: Record<string, ClusterSums>, clusters: Readonly<Record<string, ClusterSums>>): void {
  for (const [objective, sums] of Object.entries(clusters)) {
    into[objective] ??= emptyClusterSums();
    addClusterSums(into[objective], sums);
  }
}

function encoded<N extends string>(histograms: Record<N, LatencyHistogram>): Partial<Record<N, EncodedHistogram>> {
  const filled = Object.entries<LatencyHistogram>(histograms).filter(([, { samples }]) => samples > 0);
  return Object.fromEntries(filled.map(([name, histogram]) => [name, histogram.encode()])) as Partial<
    Record<N, EncodedHistogram>
  >;
}

function addEncoded(into: LatencyHistogram, other: EncodedHistogram | undefined): void {
  if (!other) return;
  using decoded = new LatencyHistogram(other);
  into.add(decoded);
}

function each<N extends string, V>(names: readonly N[], make: (name: N) => V): Record<N, V> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, V>;
}

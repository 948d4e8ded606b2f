import type { Metric, Registry } from 'prom-client';

/**
 * A Prometheus histogram of one label for what is observed with each event: plain counts until
 * somebody asks. The library's own spells the labels and looks them up each time.
 */
export class QuickHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #label: string;
  readonly #bounds: Float64Array;
  readonly #series = new Map<string, Series>();

  constructor(options: QuickHistogramOptions) {
    this.name = options.name;
    this.help = options.help;
    this.#label = options.label;
    this.#bounds = Float64Array.from(options.bounds);
    for (const label of options.known ?? []) this.#seriesOf(label);
    // The registry asks nothing else of a metric than its name and `get`.
    options.registry.registerMetric(this as unknown as Metric);
  }

  /**
   * What is no number counts for nothing. `traceId`: the trace that shows how the value came about;
   * the last of each bucket is remembered.
   */
  observe(label: string, value: number, traceId?: string): void {
    if (!Number.isFinite(value)) return;
    const series = this.#seriesOf(label);
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    series.counts[bucket]! += 1;
    series.sum += value;
    if (traceId === undefined) return;
    series.exemplars[bucket] = { labelSet: { trace_id: traceId }, value, timestamp: Date.now() / 1000 };
  }

  #seriesOf(label: string): Series {
    const known = this.#series.get(label);
    if (known) return known;
    const series = { counts: new Float64Array(this.#bounds.length + 1), sum: 0, exemplars: [] };
    this.#series.set(label, series);
    return series;
  }

  async get(): Promise<Exposed> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series].flatMap(([label, series]) => this.#valuesOf(label, series));
    return { name, help, type, aggregator, values };
  }

  #valuesOf(label: string, { counts, sum, exemplars }: Series): ExposedValue[] {
    const labels = { [this.#label]: label };
    let total = 0;
    const buckets = Array.from(counts, (count, bucket) => {
      total += count;
      const le = this.#bounds[bucket] ?? '+Inf';
      const exemplar = exemplars[bucket];
      const value = { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total };
      return exemplar ? { ...value, exemplar } : value;
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

type QuickHistogramOptions = {
  name: string;
  help: string;
  label: string;
  /** Labels that are there from the start, at 0. */
  known?: readonly string[];
  /** Upper bounds of the buckets, rising; the last, infinite one is added. */
  bounds: readonly number[];
  registry: Registry;
};

/** What the library's metrics give. */
type Exposed = { name: string; help: string; type: string; aggregator: string; values: ExposedValue[] };
type ExposedValue = {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
  exemplar?: Exemplar;
};

/** As OpenMetrics has it; the time in seconds since 1970. */
type Exemplar = { labelSet: { trace_id: string }; value: number; timestamp: number };

type Series = {
  /** Values up to each bound and above the one before, then those above all. */
  counts: Float64Array;
  sum: number;
  /** The last of each bucket that has one. */
  exemplars: Exemplar[];
};

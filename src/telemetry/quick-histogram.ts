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

  /** @param bounds upper bounds of the buckets, rising; the last, infinite one is added. */
  constructor(options: { name: string; help: string; label: string; bounds: readonly number[]; registry: Registry }) {
    this.name = options.name;
    this.help = options.help;
    this.#label = options.label;
    this.#bounds = Float64Array.from(options.bounds);
    // The registry asks nothing else of a metric than its name and `get`.
    options.registry.registerMetric(this as unknown as Metric);
  }

  /** What is no number counts for nothing. */
  observe(label: string, value: number): void {
    if (!Number.isFinite(value)) return;
    let series = this.#series.get(label);
    if (!series) {
      series = { counts: new Float64Array(this.#bounds.length + 1), sum: 0 };
      this.#series.set(label, series);
    }
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    series.counts[bucket]! += 1;
    series.sum += value;
  }

  async get(): Promise<Exposed> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series].flatMap(([label, series]) => this.#valuesOf(label, series));
    return { name, help, type, aggregator, values };
  }

  #valuesOf(label: string, { counts, sum }: Series): ExposedValue[] {
    const labels = { [this.#label]: label };
    let total = 0;
    const buckets = Array.from(counts, (count, bucket) => {
      total += count;
      const le = this.#bounds[bucket] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

/** What the library's metrics give. */
type Exposed = { name: string; help: string; type: string; aggregator: string; values: ExposedValue[] };
type ExposedValue = { metricName: string; labels: Record<string, string | number>; value: number };

type Series = {
  /** Values up to each bound and above the one before, then those above all. */
  counts: Float64Array;
  sum: number;
};

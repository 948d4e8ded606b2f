import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { exposeLimits, type MetricsDocument, storeFailuresHelp } from './metrics.ts';

/** A gateway as metrics tell of it. */
type GatewayNumbers = {
  gateway: number;
  isReady: boolean;
  sessions: number;
  sessionLimit: number;
  level: number;
};

export type MergedSources = {
  gateways(): readonly GatewayNumbers[];
  /** Sessions that all of them together believe they carry. */
  sessionLimit(): number;
  /** The limits of the whole server by name. */
  limits(): Readonly<Record<string, number>>;
};

/**
 * The metrics of a server of several processes as one document: counters and histograms are added
 * up, gauges by what they mean. What a process had counted stays counted when it is gone, as of its
 * last reading, so that no counter ever falls.
 */
export class MergedMetrics {
  readonly #own = new Registry();
  readonly #last = new Map<number, MetricsDocument>();
  readonly #restarts: Counter<'gateway'>;
  readonly #storeFailures: Counter<'why'>;
  #retired: Promise<MetricsDocument> = Promise.resolve([]);

  constructor(sources: MergedSources) {
    const registers = [this.#own];
    collectDefaultMetrics({ register: this.#own });
    this.#restarts = new Counter({
      name: 'speechfb_gateway_restarts_total',
      help: 'How often a gateway died and another took over.',
      labelNames: ['gateway'],
      registers,
    });
    this.#storeFailures = new Counter({
      name: 'speechfb_store_failures_total',
      help: storeFailuresHelp,
      labelNames: ['why'],
      registers,
    });
    new Gauge({
      name: 'speechfb_session_limit',
      help: 'Sessions that the server believes it carries.',
      // It stands first: what gateways say, whose sum may be more than is allowed, does not count.
      aggregator: 'first',
      registers,
      collect() {
        this.set(sources.sessionLimit());
      },
    });
    exposeLimits(() => sources.limits(), registers);
    for (const [name, help, read] of perGateway) {
      new Gauge({
        name: `speechfb_gateway_${name}`,
        help,
        labelNames: ['gateway'],
        registers,
        collect() {
          this.reset();
          for (const numbers of sources.gateways()) this.set({ gateway: numbers.gateway }, read(numbers));
        },
      });
    }
  }

  /** What a gateway counts now. */
  update(gateway: number, document: MetricsDocument): void {
    this.#last.set(gateway, document);
  }

  /** A gateway is gone; another may take its number. */
  retire(gateway: number): void {
    const last = this.#last.get(gateway);
    this.#last.delete(gateway);
    if (!last) return;
    const counted = last.filter(({ type }) => countedTypes.includes(type));
    this.#retired = this.#retired.then((retired) => merge([retired, counted]).getMetricsAsJSON());
  }

  restarted(gateway: number): void {
    this.#restarts.inc({ gateway });
  }

  /** A call to the store by the supervisor itself failed. */
  storeFailed(why: string): void {
    this.#storeFailures.inc({ why });
  }

  /** The exposition format, and its content type. */
  async expose(): Promise<{ body: string; contentType: string }> {
    const own = (await this.#own.getMetricsAsJSON()).map((metric): MetricsDocument[number] =>
      // The server began when its supervisor did.
      metric.name === startTime ? { ...metric, aggregator: 'first' } : metric,
    );
    const registry = merge([own, ...this.#last.values(), await this.#retired]);
    return { body: await registry.metrics(), contentType: registry.contentType };
  }
}

/** Each metric is added up as its first document says. */
function merge(documents: readonly MetricsDocument[]): Registry {
  return AggregatorRegistry.aggregate([...documents]);
}

const startTime = 'process_start_time_seconds';
/** As prom-client names the types of a document, whatever its types in TypeScript say. */
const countedTypes: readonly unknown[] = ['counter', 'histogram'];

const perGateway: readonly (readonly [string, string, (numbers: GatewayNumbers) => number])[] = [
  ['ready', 'Whether a gateway takes sessions.', ({ isReady }) => (isReady ? 1 : 0)],
  ['sessions', 'Sessions of a gateway.', ({ sessions }) => sessions],
  ['session_limit', 'Sessions that a gateway believes it carries.', ({ sessionLimit }) => sessionLimit],
  ['degradation_level', 'What sessions of a gateway are spared.', ({ level }) => level],
];

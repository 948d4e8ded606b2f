import {
  type Aggregator,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { lanes } from '../protocol/client-messages.ts';
import { wireErrors } from '../protocol/codes.ts';
import type { ServerMessage } from '../protocol/server-messages.ts';
import { type StageTimings, serverStages } from '../protocol/stages.ts';
import { type EngineNumbers, exposeDevice } from './device-metrics.ts';
import { exposeHandoff, type HandoffFigures } from './handoff-metrics.ts';
import { type MetricsFormat, toOpenMetrics } from './open-metrics.ts';
import { QuickHistogram } from './quick-histogram.ts';
import { exposeRouting, type RoutingSources } from './routing-metrics.ts';
import { exposeSlots, type SlotNumbers } from './slot-metrics.ts';
import { exposeSpans } from './span-metrics.ts';
import { exposeTenants, type TenantFigures } from './tenant-metrics.ts';
import type { SpanCounts } from './tracing/tracing.ts';

/** All metrics of one process as data, with how each is added up over processes. */
export type MetricsDocument = MetricObjectWithValues<MetricValue<string>>[];

/** What is read when metrics are asked for. */
export type MetricSources = {
  version: string;
  sessions(): Readonly<Record<string, number>>;
  engine(): EngineNumbers | undefined;
  /** Absent where scoring has no threads of its own. */
  scoring?(): ScoringNumbers | undefined;
  /** Absent where nothing controls the load. */
  overload?(): OverloadNumbers;
  /** Absent where nothing is scored at nodes, or for gateways. */
  slots?(): SlotNumbers | undefined;
  /** Whether all of the store of sessions answers; undefined: there is none. */
  storeUp?(): boolean | undefined;
  /** What each tenant has, by name; absent where there are none. */
  tenants?: (() => ReadonlyMap<string, TenantFigures>) | undefined;
  /** What became of spans; absent where there are none. */
  spans?: (() => SpanCounts) | undefined;
  /** What is scored later; absent where nothing is. */
  handoff?: (() => HandoffFigures) | undefined;
  /** How long the certificate is good, ms; undefined: there is no TLS. */
  tlsExpiresMs?(): number | undefined;
  /** By name; Infinity: none. */
  limits?(): Readonly<Record<string, number>>;
};

export const storeFailuresHelp = 'Calls to the store that failed, by why.';

/**
 * A server's Prometheus metrics: rate, errors and duration of everything it answers, and where the
 * time goes.
 */
export class Metrics {
  /** Counts a message from a client, by its type; `audio` for frames. */
  readonly message: Tally;
  /** Counts a WebSocket by the protocol that is spoken. */
  readonly socket: Tally;
  /** Counts a WebSocket by what carries it: `tcp` or `quic`. */
  readonly carrier: Tally;
  /**
   * Counts a datagram of QUIC: `heard`; `early`, when there was no session that it could be of; or
   * `unread`, when the gateway that has its session did not read what came before.
   */
  readonly datagram: Tally;
  /** Counts a frame by what became of it. */
  readonly frame: Tally;
  readonly event: (type: ServerMessage['type']) => void;
  /** Counts an error sent to a client, by its code. */
  readonly refusal: Tally;
  /** Counts a refusal by the limit that was met, as docs/protocol.md names it. */
  readonly limit: Tally;
  /** Counts what was given up so that others find a place: `session` or `connection`. */
  readonly givenUp: Tally;
  /** Counts a step of degradation that was taken, by its name. */
  readonly step: Tally;
  /** Counts a session that was sent away to come back, by its lane. */
  readonly sentAway: Tally;
  /** Counts a request or connection that was refused before there was a WebSocket, by why. */
  readonly refusedRequest: Tally;
  /** Counts a WebSocket whose client broke its protocol, by the close code. */
  readonly brokenSocket: Tally;
  /** Counts a call to the store of sessions that failed, by why. */
  readonly storeFailure: Tally;
  /** Counts a start that named a span of its client: `taken` or `malformed`. */
  readonly traceparent: Tally;
  readonly #registry = new Registry();
  readonly #hasExemplars: boolean;
  readonly #exposed = new Map<MetricsFormat, { atMs: number; written: Promise<Exposition> }>();
  readonly #requests: Histogram<'endpoint' | 'status'>;
  readonly #lost: Counter;
  readonly #resumes: Counter;
  readonly #feedback: QuickHistogram;
  readonly #stage: QuickHistogram;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const counter = (name: string, help: string, label: string, known: readonly string[] = []): Tally =>
      createTally({ name, help, label, known, registers });
    this.#requests = new Histogram({
      name: 'speechfb_http_request_seconds',
      help: 'Duration of HTTP requests.',
      labelNames: ['endpoint', 'status'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5],
      registers,
    });
    const messagesHelp = 'Messages from clients, by type; audio frames as "audio".';
    this.message = counter('messages_total', messagesHelp, 'kind', ['start']);
    this.socket = counter('sockets_total', 'WebSockets opened, by the protocol that is spoken.', 'protocol');
    this.carrier = counter('carriers_total', 'WebSockets opened, by what carries them.', 'transport');
    this.datagram = counter('datagrams_total', 'Datagrams of QUIC by what became of them.', 'outcome');
    this.frame = counter('frames_total', 'Audio frames by what became of them.', 'outcome');
    this.event = counter('events_total', 'Events to clients, by type.', 'type');
    this.refusal = counter('refusals_total', 'Errors told to clients, by code.', 'code', Object.keys(wireErrors));
    this.limit = counter('limits_met_total', 'Refusals by the limit that was met.', 'limit');
    this.givenUp = counter('given_up_total', 'What was given up so that others find a place.', 'what');
    const stepHelp = 'Steps of degradation that were taken, by what they spare.';
    this.step = counter('degradation_steps_total', stepHelp, 'step');
    const sentAwayHelp = 'Sessions that were sent away to come back when there is room, by lane.';
    this.sentAway = counter('sent_away_total', sentAwayHelp, 'lane', lanes);
    const refusedHelp = 'Requests and connections refused before there was a WebSocket, by why.';
    this.refusedRequest = counter('refused_requests_total', refusedHelp, 'reason');
    const brokenHelp = 'WebSockets whose client broke the WebSocket protocol, by close code.';
    this.brokenSocket = counter('broken_sockets_total', brokenHelp, 'code');
    this.storeFailure = counter('store_failures_total', storeFailuresHelp, 'why');
    const traceparentsHelp = 'Starts that named a span of their client, by outcome.';
    this.traceparent = counter('traceparents_total', traceparentsHelp, 'outcome');
    this.#lost = new Counter({ name: 'speechfb_lost_frames_total', help: 'Frames that never came.', registers });
    this.#resumes = new Counter({ name: 'speechfb_resumes_total', help: 'Sessions taken up again.', registers });
    const latencies = { bounds: latencyBuckets, registry: this.#registry };
    this.#feedback = new QuickHistogram({
      name: 'speechfb_feedback_seconds',
      help: 'From the socket read of a sound to the socket write of its partial result.',
      label: 'type',
      known: ['phoneme_feedback'],
      ...latencies,
    });
    this.#stage = new QuickHistogram({
      name: 'speechfb_stage_seconds',
      help: 'Stages of phoneme feedback within the server.',
      label: 'stage',
      ...latencies,
    });
    exposeSources(sources, this.#registry);
    this.#hasExemplars = sources.spans !== undefined;
    if (sources.spans) exposeSpans(sources.spans, registers);
  }

  /** Shows what decides who writes transcripts, too. */
  showRouting(sources: RoutingSources): void {
    exposeRouting(sources, [this.#registry]);
  }

  /** An HTTP request was answered. */
  http(endpoint: string, status: number, seconds: number): void {
    this.#requests.observe({ endpoint, status }, seconds);
  }

  lostFrames(count: number): void {
    this.#lost.inc(count);
  }

  /**
   * A partial result went out `totalMs` after its sound was read from the socket; `traceId`: where
   * that can be looked at.
   */
  feedback(type: string, timing: StageTimings, totalMs: number, traceId?: string): void {
    this.#feedback.observe(type, totalMs / 1000, traceId);
    if (type !== 'phoneme_feedback') return;
    for (const name of serverStages) this.#stage.observe(name, (timing[name] ?? 0) / 1000);
  }

  resumed(): void {
    this.#resumes.inc();
  }

  /**
   * The exposition format, and its content type. Made anew ten times a second at most: it takes
   * some milliseconds, which whoever asks without end must not take from those who speak. Without
   * exemplars there is one format for all.
   */
  expose(wanted: MetricsFormat = 'prometheus'): Promise<Exposition> {
    const nowMs = performance.now();
    const format = this.#hasExemplars ? wanted : 'prometheus';
    const before = this.#exposed.get(format);
    if (before && nowMs - before.atMs <= exposedMs) return before.written;
    const written = this.#write(format);
    this.#exposed.set(format, { atMs: nowMs, written });
    return written;
  }

  async #write(format: MetricsFormat): Promise<Exposition> {
    if (format === 'openmetrics') return await toOpenMetrics(await this.document());
    return { body: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  /** The same as data, to be merged with those of other processes. */
  document(): Promise<MetricsDocument> {
    return this.#registry.getMetricsAsJSON();
  }
}

type Exposition = { body: string; contentType: string };

const exposedMs = 100;

type Tally = (label: string) => void;

/**
 * A counter that is counted up for each frame: plain numbers until somebody asks. Labels that are
 * `known` are there from the start: an alert sees no increase in a series that begins at 1.
 */
function createTally({ name, help, label, known, registers }: TallyOptions): Tally {
  const counts = new Map(known.map((value) => [value, { count: 0 }]));
  new Counter({
    name: `speechfb_${name}`,
    help,
    labelNames: [label],
    registers,
    collect() {
      this.reset();
      for (const [value, { count }] of counts) this.inc({ [label]: value }, count);
    },
  });
  return (value) => {
    const before = counts.get(value);
    if (before) before.count += 1;
    else counts.set(value, { count: 1 });
  };
}

type TallyOptions = { name: string; help: string; label: string; known: readonly string[]; registers: Registry[] };

const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

function exposeSources(sources: MetricSources, registry: Registry): void {
  const registers = [registry];
  const build = new Gauge({
    name: 'speechfb_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node', 'provider'],
    aggregator: 'first',
    registers,
    collect() {
      this.reset();
      this.set({ version: sources.version, node: process.version, provider: sources.engine()?.provider ?? 'none' }, 1);
    },
  });
  build.reset();
  new Gauge({
    name: 'speechfb_sessions',
    help: 'Sessions by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.sessions())) this.set({ state }, count);
    },
  });
  exposeLimits(() => sources.limits?.() ?? {}, registers);
  const gauge = createGauge.bind(undefined, registers);
  const engineGauge = (name: string, help: string, read: (engine: EngineNumbers) => number): void =>
    gauge(`engine_${name}`, help, () => {
      const engine = sources.engine();
      return engine && read(engine);
    });
  engineGauge('queue_depth', 'Chunks that wait for a model run.', (engine) => engine.queueDepth);
  engineGauge('batch_size', 'Streams in a model run, mean of late.', (engine) => engine.meanBatch);
  engineGauge('busy_ratio', 'Share of time that the model runs.', (engine) => engine.busy);
  engineGauge('step_p95_seconds', 'A chunk to its result, p95 of late.', (engine) => engine.stepP95Ms / 1000);
  engineGauge('restarts', 'How often the model thread died and another took over.', (engine) => engine.restarts);
  exposeDevice(sources.engine, registers);
  exposeOverload(() => sources.overload?.(), gauge);
  gauge('tls_expires_seconds', 'How long the certificate of this server is good.', () => {
    const leftMs = sources.tlsExpiresMs?.();
    return leftMs && leftMs / 1000;
  });
  exposeSlots(() => sources.slots?.(), gauge, registers);
  const storeHelp = 'Whether all of the store of sessions answers, so that they can go on at other gateways.';
  gauge('store_up', storeHelp, () => toNumber(sources.storeUp?.()));
  if (sources.handoff) exposeHandoff(sources.handoff, gauge, registers);
  if (sources.tenants) exposeTenants(sources.tenants, registers);
  const scoring = () => sources.scoring?.();
  gauge('scoring_busy_ratio', 'Share of time that the busiest scoring thread works.', () => scoring()?.busy);
  gauge('scoring_wait_p95_seconds', "From the model's frames to the feedback made of them, p95 of late.", () => {
    const numbers = scoring();
    return numbers && numbers.waitP95Ms / 1000;
  });
}

function exposeOverload(
  read: () => OverloadNumbers | undefined,
  gauge: (name: string, help: string, read: () => number | undefined) => void,
): void {
  gauge('session_limit', 'Sessions that the server believes it carries.', () => read()?.sessionLimit);
  gauge('degradation_level', 'What sessions are spared: 0 nothing, 5 the newest are sent away.', () => read()?.level);
  gauge('standing_delay_seconds', 'How late feedback has stood for the last interval.', () => {
    const numbers = read();
    return numbers && numbers.standingMs / 1000;
  });
}

/** What there is not has no series, rather than a 0: plain `serve` has no nodes to lose. */
function createGauge(registers: Registry[], name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name: `speechfb_${name}`,
    help,
    aggregator: aggregators[name] ?? 'sum',
    registers,
    collect() {
      const value = read();
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

/**
 * How gauges are added up over the processes of one server, by name; the others are sums. Of what
 * says how well a part does, the worst part counts.
 */
const aggregators: Readonly<Record<string, Aggregator>> = {
  // Each gateway tells of all nodes that it knows.
  slots: 'max',
  slots_free: 'max',
  tls_expires_seconds: 'min',
  engine_batch_size: 'average',
  engine_busy_ratio: 'max',
  engine_step_p95_seconds: 'max',
  store_up: 'min',
  degradation_level: 'max',
  standing_delay_seconds: 'max',
  scoring_busy_ratio: 'max',
  scoring_wait_p95_seconds: 'max',
};

function toNumber(is: boolean | undefined): number | undefined {
  return is === undefined ? undefined : Number(is);
}

/** The first of several processes says what holds for the whole server. */
export function exposeLimits(read: () => Readonly<Record<string, number>>, registers: Registry[]): void {
  new Gauge({
    name: 'speechfb_limit',
    help: 'What the limits of the server are, by name.',
    labelNames: ['limit'],
    aggregator: 'first',
    registers,
    collect() {
      for (const [limit, value] of Object.entries(read())) this.set({ limit }, value);
    },
  });
}

type OverloadNumbers = { sessionLimit: number; standingMs: number; level: number };

type ScoringNumbers = { waitP95Ms: number; busy: number };

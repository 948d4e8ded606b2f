import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client';
import { exposePolicy, type LivePolicyFigures } from './policy-metrics.ts';
import type { SlotNumbers } from './slot-metrics.ts';

/** What metrics show of a router. */
type RoutingFigures = {
  backends: readonly {
    name: string;
    sessions: number;
    hindrance?: string | undefined;
    breaker?: { state: string } | undefined;
    spent?: number | undefined;
    most?: number | undefined;
  }[];
  decisions: readonly { rule: string; sessions: number }[];
  fallbacks: readonly { backend: string; class: string; count: number }[];
  spend: number;
};

/** How one of the models of the server does; labels are those of model packages. */
export type ModelFigures = {
  model: string;
  version: string;
  sessions: number;
  queueDepth: number;
  stepP95Ms: number;
  busy: number;
  /** What its nodes take; undefined: it runs here. */
  slots?: Pick<SlotNumbers, 'slots' | 'free'> | undefined;
};

/** Sound that a backend has heard; labels are bounded by whoever sums it. */
type MeteredFigures = { backend: string; language: string; tenant: string; lane: string; audioMs: number };

export type RoutingSources = {
  view(): RoutingFigures;
  sums(): Iterable<MeteredFigures>;
  /** The server's own model and those that the policy names. */
  models(): readonly ModelFigures[];
  /** Absent: the policy never changes. */
  policy?: (() => LivePolicyFigures) | undefined;
};

/** What decides which backend writes transcripts, and what that uses. */
export function exposeRouting({ view, sums, models, policy }: RoutingSources, registers: Registry[]): void {
  const gauge = (name: string, help: string, labelNames: string[], collect: (self: Gauge) => void): void => {
    const made: Gauge = new Gauge({
      ...{ name: `speechfb_${name}`, help, labelNames, registers },
      collect() {
        this.reset();
        collect(this);
      },
    });
    void made;
  };
  gauge('routed_sessions', 'Sessions by the backend that writes their transcript.', ['backend'], (self) => {
    for (const { name, sessions } of view().backends) self.set({ backend: name }, sessions);
  });
  gauge('backend_breaker', 'Circuit breakers of backends: 0 closed, 1 half open, 2 open.', ['backend'], (self) => {
    for (const { name, breaker } of view().backends)
      if (breaker) self.set({ backend: name }, breakerLevels.indexOf(breaker.state));
  });
  gauge('backend_hindered', 'Whether a backend takes no session now, by why.', ['backend', 'why'], (self) => {
    for (const { name, hindrance } of view().backends)
      if (hindrance !== undefined) self.set({ backend: name, why: hindrance }, 1);
  });
  gauge('backend_spent_dollars', 'What a backend has cost in the last hour.', ['backend'], (self) => {
    for (const { name, spent } of view().backends) if (spent !== undefined) self.set({ backend: name }, spent);
  });
  gauge('backend_most_dollars', 'What a backend may cost an hour.', ['backend'], (self) => {
    for (const { name, most } of view().backends) if (most !== undefined) self.set({ backend: name }, most);
  });
  gauge('routing_spend_dollars_per_hour', 'What managed backends cost an hour at this moment.', [], (self) => {
    self.set(view().spend);
  });
  exposeCounts({ view, sums }, registers);
  exposeModels(models, registers);
  if (policy) exposePolicy(policy, registers);
}

function exposeCounts({ view, sums }: Pick<RoutingSources, 'view' | 'sums'>, registers: Registry[]): void {
  new Counter({
    name: 'speechfb_route_decisions_total',
    help: 'Sessions by the rule that decided which backend writes their transcript.',
    labelNames: ['rule'],
    registers,
    collect() {
      this.reset();
      for (const { rule, sessions } of view().decisions) this.inc({ rule }, sessions);
    },
  });
  new Counter({
    name: 'speechfb_fallbacks_total',
    help: 'Backends that failed within a session, by the class of the error.',
    labelNames: ['backend', 'class'],
    registers,
    collect() {
      this.reset();
      for (const { backend, class: why, count } of view().fallbacks) this.inc({ backend, class: why }, count);
    },
  });
  new Counter({
    name: 'speechfb_backend_audio_seconds_total',
    help: 'Sound that backends have heard; what two have heard after a fallback counts twice.',
    labelNames: ['backend', 'language', 'tenant', 'lane'],
    registers,
    collect() {
      this.reset();
      for (const { audioMs, ...labels } of sums()) this.inc(labels, audioMs / 1000);
    },
  });
}

/** The models of ours one by one: `speechfb_engine_*` is of all of them together. */
function exposeModels(models: RoutingSources['models'], registers: Registry[]): void {
  type Of = (figures: ModelFigures) => number | undefined;
  const gauge = (name: string, help: string, aggregator: Aggregator, of: Of): void => {
    const made: Gauge = new Gauge({
      ...{ name: `speechfb_model_${name}`, help, labelNames: ['model', 'version'], aggregator, registers },
      collect() {
        this.reset();
        for (const figures of models()) {
          const value = of(figures);
          if (value !== undefined) this.set({ model: figures.model, version: figures.version }, value);
        }
      },
    });
    void made;
  };
  gauge('sessions', 'Sessions by the model that scores them.', 'sum', ({ sessions }) => sessions);
  gauge('slots', 'Sessions that the nodes of a model take at once.', 'max', ({ slots }) => slots?.slots);
  gauge('slots_free', 'Slots of a model that are not leased.', 'max', ({ slots }) => slots?.free);
  gauge('queue_depth', 'Chunks that wait for a run, by model.', 'sum', ({ queueDepth }) => queueDepth);
  gauge('busy_ratio', 'Share of time that a model runs.', 'max', ({ busy }) => busy);
  gauge(
    'step_p95_seconds',
    'A chunk to its result, p95 of late, by model.',
    'max',
    ({ stepP95Ms }) => stepP95Ms / 1000,
  );
}

const breakerLevels = ['closed', 'half-open', 'open'];

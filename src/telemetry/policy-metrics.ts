import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client';

/** What metrics show of a routing policy, of where it comes from, and of its canary. */
export type LivePolicyFigures = {
  /** From 1, one more with each change. */
  version: number;
  inForceMs: number;
  /** How long ago its source last said what can be used; 0 for a file that is as it was read. */
  sourceAgeMs: number;
  failures: ReadonlyMap<string, number>;
  /** Times the budget, over the window of the canary; none while too little is known. */
  burns: readonly { canary: string; variant: string; burn: number }[];
  /** Labels are bounded by whoever sums it. */
  canaries: {
    sessions: readonly { canary: string; variant: string; count: number }[];
    utterances: readonly { canary: string; variant: string; outcome: string; count: number }[];
    rollbacks: readonly { canary: string; count: number }[];
  };
};

/** Which policy is in force, whether its source can be asked, and how a canary of it does. */
export function exposePolicy(read: () => LivePolicyFigures, registers: Registry[]): void {
  const gauge = (name: string, help: string, aggregator: Aggregator, value: (figures: LivePolicyFigures) => number) => {
    const made: Gauge = new Gauge({
      ...{ name: `speechfb_policy_${name}`, help, aggregator, registers },
      collect() {
        this.set(value(read()));
      },
    });
    void made;
  };
  // Of several gateways the one that is behind counts.
  gauge('version', 'Which routing policy is in force, counted from the start.', 'min', ({ version }) => version);
  gauge('in_force_seconds', 'How long the routing policy has been in force.', 'max', (one) => one.inForceMs / 1000);
  const ageHelp = 'How long ago the source of the routing policy last said what can be used.';
  gauge('source_age_seconds', ageHelp, 'max', ({ sourceAgeMs }) => sourceAgeMs / 1000);
  const burns: Gauge = new Gauge({
    name: 'speechfb_canary_burn',
    help: 'How often a canary, and the sessions beside it, use up their error budget, over the window.',
    labelNames: ['canary', 'variant'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const { burn, ...labels } of read().burns) this.set(labels, burn);
    },
  });
  void burns;
  exposeTotals(read, registers);
}

function exposeTotals(read: () => LivePolicyFigures, registers: Registry[]): void {
  const counter = (
    name: string,
    help: string,
    labelNames: string[],
    counts: (figures: LivePolicyFigures) => readonly { count: number }[],
  ): void => {
    const made: Counter = new Counter({
      ...{ name: `speechfb_${name}`, help, labelNames, registers },
      collect() {
        this.reset();
        for (const { count, ...labels } of counts(read())) this.inc(labels, count);
      },
    });
    void made;
  };
  const failuresHelp = 'Times that the source of the routing policy gave nothing that could be used, by why.';
  counter('policy_source_failures_total', failuresHelp, ['why'], ({ failures }) =>
    [...failures].map(([why, count]) => ({ why, count })),
  );
  const sessionsHelp = 'Sessions of a canary, and those beside it.';
  counter('canary_sessions_total', sessionsHelp, ['canary', 'variant'], ({ canaries }) => canaries.sessions);
  const utterancesHelp = 'Utterances of a canary, and of sessions beside it, by what became of them.';
  counter(
    'canary_utterances_total',
    utterancesHelp,
    ['canary', 'variant', 'outcome'],
    ({ canaries }) => canaries.utterances,
  );
  const rollbacksHelp = 'Times that a canary was rolled back by itself.';
  counter('canary_rollbacks_total', rollbacksHelp, ['canary'], ({ canaries }) => canaries.rollbacks);
}

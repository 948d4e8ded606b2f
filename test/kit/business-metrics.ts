import { Gauge, Registry } from 'prom-client';
import { exposeHandoff } from '../../src/telemetry/handoff-metrics.ts';
import type { LivePolicyFigures } from '../../src/telemetry/policy-metrics.ts';
import { exposeRouting } from '../../src/telemetry/routing-metrics.ts';
import { exposeTenants } from '../../src/telemetry/tenant-metrics.ts';

/**
 * What servers with tenants, a routing policy and a handoff show beside the rest; counters have risen
 * `times` times.
 */
export async function businessMetrics(times: number): Promise<string> {
  const registry = new Registry();
  const refusals = new Map([['tenant_cap', times]]);
  exposeTenants(() => new Map([['north', { sessions: 3, audioMs: 60_000 * times, refusals }]]), [registry]);
  const backend = { name: 'managed', sessions: 2, hindrance: 'budget', breaker: { state: 'open' }, spent: 4, most: 5 };
  const fallbacks = [{ backend: 'managed', class: 'fault', count: times }];
  const sum = { backend: 'managed', language: 'en', tenant: 'north', lane: 'live', audioMs: 60_000 * times };
  const view = () => ({ backends: [backend], decisions: [{ rule: 'all', sessions: times }], fallbacks, spend: 7 });
  const figures = { model: 'en-learner', version: '1', sessions: 2, queueDepth: 1, stepP95Ms: 20, busy: 0.5 };
  exposeRouting({ view, sums: () => [sum], models: () => [figures], policy: () => policyFigures(times) }, [registry]);
  const waiting = { waiting: 2, waitingBytes: 64_000, outcomes: { done: times } };
  const results = { sessions: 3, bytes: 900, dropped: times };
  exposeHandoff(
    () => ({ ...waiting, scoring: waiting, results }),
    (name, help, read) => {
      const collect = (): void => gauge.set(read() ?? 0);
      const gauge: Gauge = new Gauge({ name: `speechfb_${name}`, help, registers: [registry], collect });
    },
    [registry],
  );
  return await registry.metrics();
}

/** A policy whose canary burns. */
function policyFigures(times: number): LivePolicyFigures {
  const of = { canary: 'nova', variant: 'canary' };
  return {
    ...{ version: 2, inForceMs: 60_000, sourceAgeMs: 2000, failures: new Map([['refused', times]]) },
    burns: [{ ...of, burn: 3 }],
    canaries: {
      sessions: [{ ...of, count: times }],
      utterances: [{ ...of, outcome: 'late', count: times }],
      rollbacks: [{ canary: 'nova', count: times }],
    },
  };
}

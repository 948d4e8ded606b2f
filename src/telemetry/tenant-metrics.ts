import { Counter, Gauge, type Registry } from 'prom-client';

/** What metrics show of one tenant. */
export type TenantFigures = { sessions: number; audioMs: number; refusals: ReadonlyMap<string, number> };

/**
 * Shows the first `mostNamed` tenants by name and the sum of the rest as `other`: a label that
 * customers can multiply would fill every database of metrics.
 */
export function exposeTenants(read: () => ReadonlyMap<string, TenantFigures>, registers: Registry[]): void {
  const labels = (): [string, TenantFigures][] =>
    [...read()].map(([name, figures], at) => [labelOf(name, at), figures]);
  new Gauge({
    name: 'speechfb_tenant_sessions',
    help: 'Sessions by tenant; other: all that have no name of their own here.',
    labelNames: ['tenant'],
    registers,
    collect() {
      this.reset();
      for (const [tenant, { sessions }] of labels()) this.inc({ tenant }, sessions);
    },
  });
  new Counter({
    name: 'speechfb_tenant_audio_seconds_total',
    help: 'Sound that was heard, by tenant.',
    labelNames: ['tenant'],
    registers,
    collect() {
      this.reset();
      for (const [tenant, { audioMs }] of labels()) this.inc({ tenant }, audioMs / 1000);
    },
  });
  new Counter({
    name: 'speechfb_tenant_refusals_total',
    help: 'What was refused to tenants that are known, by code.',
    labelNames: ['tenant', 'code'],
    registers,
    collect() {
      this.reset();
      for (const [tenant, { refusals }] of labels()) {
        for (const [code, count] of refusals) this.inc({ tenant, code }, count);
      }
    },
  });
}

function labelOf(name: string, at: number): string {
  return at < mostNamed ? name : 'other';
}

const mostNamed = 20;

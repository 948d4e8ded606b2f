import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { type MetricSources, Metrics } from '../../telemetry/metrics.ts';
import { type Limits, limitsByWireName } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { TenantNumbers } from '../tenants/tenant-usage.ts';
import type { Registry } from './registry.ts';
import type { ServerOptions } from './server-options.ts';

/** The parts of a server that are measured when somebody asks; some come to be later. */
type MeasuredParts = {
  options: Pick<ServerOptions, 'version' | 'scoring' | 'slots' | 'store' | 'tenants' | 'tracing' | 'late'>;
  limits: Limits;
  registry(): Registry;
  engine(): AcousticEngine | undefined;
  overload(): OverloadControl;
  tenants(): ReadonlyMap<string, TenantNumbers>;
  /** When its certificate ends, ms since 1970. */
  tlsEndsMs(): number | undefined;
};

export function serverMetrics(parts: MeasuredParts): Metrics {
  const { options, limits, registry, overload, tenants, tlsEndsMs } = parts;
  const { version, scoring, slots, late } = options;
  return new Metrics({
    version,
    sessions: () => registry().countByState(),
    engine: () => engineNumbers(parts.engine()),
    scoring: () => scoring.stats?.(),
    slots: () => slots?.stats(),
    spans: options.tracing && (() => options.tracing!.spans()),
    storeUp: () => options.store?.isWhole,
    overload,
    handoff: late && (() => ({ ...late.handoff.numbers, scoring: late.scoring?.(), results: late.kept?.() })),
    limits: () => limitsByWireName(limits),
    tenants: options.tenants && tenants,
    tlsExpiresMs() {
      const endsMs = tlsEndsMs();
      return endsMs && endsMs - Date.now();
    },
  });
}

function engineNumbers(engine: AcousticEngine | undefined): ReturnType<MetricSources['engine']> {
  if (!engine) return undefined;
  const { provider, lostDevice } = engine;
  return { provider, lostDevice: lostDevice?.device, ...engine.stats() };
}

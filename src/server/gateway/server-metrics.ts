import type { AcousticEngine, EngineStats } from '../../acoustic/engine/types.ts';
import { type MetricSources, Metrics } from '../../telemetry/metrics.ts';
import { type Limits, limitsByWireName } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { RunningModels } from '../overload/running-models.ts';
import type { TenantNumbers } from '../tenants/tenant-usage.ts';
import type { Registry } from './registry.ts';
import type { ServerOptions } from './server-options.ts';

/** The parts of a server that are measured when somebody asks; some come to be later. */
type MeasuredParts = {
  options: Pick<ServerOptions, 'version' | 'store' | 'tenants' | 'tracing' | 'late'>;
  limits: Limits;
  registry(): Registry;
  /** The own model. */
  engine(): AcousticEngine | undefined;
  /** That, and those beside it. */
  models: RunningModels;
  overload(): OverloadControl;
  tenants(): ReadonlyMap<string, TenantNumbers>;
  /** When its certificate ends, ms since 1970. */
  tlsEndsMs(): number | undefined;
};

export function serverMetrics(parts: MeasuredParts): Metrics {
  const { options, limits, models, registry, overload, tenants, tlsEndsMs } = parts;
  const { version, late } = options;
  return new Metrics({
    version,
    sessions: () => registry().countByState(),
    engine: () => engineNumbers(parts.engine(), models.engines()),
    scoring: () => models.scoring(),
    slots: () => models.slots(),
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

function engineNumbers(
  own: AcousticEngine | undefined,
  all: EngineStats | undefined,
): ReturnType<MetricSources['engine']> {
  if (!own || !all) return undefined;
  const { provider, lostDevice } = own;
  return { provider, lostDevice: lostDevice?.device, ...all };
}

import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { ThrottledLog } from '../../telemetry/throttled-log.ts';
import type { GatewayStore } from '../durable/gateway-store.ts';
import type { Router } from '../hearing/router.ts';
import type { Limits } from '../limits.ts';
import type { AwakeClock } from '../overload/awake-clock.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { ServerContext } from '../session/context.ts';
import { idPrefix } from './outside/supervision.ts';
import type { ServerOptions } from './server-options.ts';

/** The parts of a server that its sessions share. */
export type SharedParts = {
  options: Pick<ServerOptions, 'region' | 'scoring' | 'supervision' | 'late' | 'tracing'>;
  limits: Limits;
  metrics: Metrics;
  log: ThrottledLog;
  overload: OverloadControl;
  durable: GatewayStore | undefined;
  router: Router | undefined;
  awake: AwakeClock;
  /** Undefined while the model is being loaded. */
  engine(): AcousticEngine | undefined;
};

export function createContext({ options, durable, awake, engine, ...shared }: SharedParts): ServerContext {
  const { region, scoring, supervision, late, tracing } = options;
  const loaded = (): AcousticEngine => {
    const known = engine();
    if (!known) throw new Error('the model is not loaded yet');
    return known;
  };
  return {
    get engine() {
      return loaded();
    },
    ...shared,
    region,
    scoring,
    handoff: late?.handoff,
    results: late?.results,
    tracing,
    keeper: durable?.keeper,
    idPrefix: supervision ? idPrefix(supervision.gateway) : '',
    now: () => performance.now(),
    awake: () => awake.ms,
  };
}

import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type Meter, UsageSums } from '../hearing/meter.ts';
import { Router } from '../hearing/router.ts';
import type { Limits } from '../limits.ts';
import type { ServerOptions } from './server-options.ts';

/** The parts of a server that decide with its router. */
export type RoutedParts = {
  limits: Limits;
  log: Log;
  metrics: Metrics;
  /** Sessions that have a place of the own model. */
  sessions(): number;
  /** Sessions that there may be at once. */
  capacity(): number;
};

/** The router of a server, whose figures are among its metrics. */
export function createRouter(
  { policy, meter, witness, figures }: NonNullable<ServerOptions['routing']>,
  { limits, log, metrics, sessions, capacity }: RoutedParts,
): Router {
  const sums = new UsageSums();
  const router = new Router({
    policy,
    load: () => Math.min(1, sessions() / Math.max(1, capacity())),
    cold: () => capacity() === 0,
    busyRetryMs: limits.busyRetryMs,
    log,
    meter: meter ? both(sums, meter) : sums,
    witness,
  });
  metrics.showRouting({ view: () => router.view(), sums: () => sums.sums(), policy: figures });
  return router;
}

function both(one: Meter, other: Meter): Meter {
  return {
    heard(metered) {
      one.heard(metered);
      other.heard(metered);
    },
    ended(session) {
      one.ended(session);
      other.ended(session);
    },
  };
}

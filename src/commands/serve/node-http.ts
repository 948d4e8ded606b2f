import { createServer, type Server } from 'node:http';
import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { listen } from '../../listen.ts';
import { stalled } from '../../server/admission/admission.ts';
import { createHttpHandler } from '../../server/gateway/http/handler.ts';
import type { Scoring } from '../../server/hearing/local-model.ts';
import { defaultLimits } from '../../server/limits.ts';
import { type Log, stackOf } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { InferenceNode } from '../../trunk/node/inference-node.ts';
import { packageVersion } from '../package.ts';

/** What the HTTP endpoints of a node report on. */
export type NodeParts = {
  node: InferenceNode;
  engine: AcousticEngine;
  scoring: Scoring;
  log: Pick<Log, 'error'>;
  /** Absent: nobody wants traces. */
  tracing?: Pick<Tracing, 'spans'> | undefined;
};

/**
 * `/healthz`, `/livez`, `/readyz` and `/metrics` of a node, for whoever runs it: nothing of a
 * learner is in them.
 *
 * @throws SpeechfbError `port_in_use`, `cannot_listen`
 */
export async function listenNodeHttp(
  { hostname, port }: { hostname: string; port: number },
  { node, engine, scoring, tracing, log }: NodeParts,
): Promise<Server> {
  const sessions = () => {
    const { slots, free } = node.slots();
    return { streaming: slots - free };
  };
  const stuck = () => stalled(engine.stats(), scoring.stats?.(), defaultLimits);
  const metrics = new Metrics({
    version: packageVersion(),
    sessions,
    engine: () => ({ provider: engine.provider, lostDevice: engine.lostDevice?.device, ...engine.stats() }),
    scoring: () => scoring.stats?.(),
    slots: () => node.slots(),
    spans: tracing && (() => tracing.spans()),
  });
  const http = createServer(
    createHttpHandler({
      metrics,
      expose: () => metrics.expose(),
      notReady: () => (node.isDraining ? 'draining' : stuck()),
      stuck,
      lostDevice: () => engine.lostDevice?.device,
      misdirected: () => undefined,
      unknown: () => undefined,
      refusedOperator: () => undefined,
      pageOf: () => undefined,
      onFailed: (error, endpoint) =>
        log.error({ endpoint, error: stackOf(error) }, 'a request of HTTP could not be answered'),
    }),
  );
  await listen(
    http,
    { host: hostname, port },
    { anotherPort: 'choose another', address: 'an address of this machine' },
  );
  return http;
}

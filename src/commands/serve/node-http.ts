import type { Server } from 'node:http';
import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { listen } from '../../listen.ts';
import { stalled } from '../../server/admission/admission.ts';
import { noteHttpRefusal, type RefusedRequest } from '../../server/admission/http-refusal.ts';
import { createListener } from '../../server/gateway/http/listener.ts';
import { answerPlainHttp } from '../../server/gateway/http/plain-http.ts';
import type { Scoring } from '../../server/hearing/local-model.ts';
import { defaultLimits } from '../../server/limits.ts';
import { type Log, stackOf } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { ThrottledLog } from '../../telemetry/throttled-log.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { InferenceNode } from '../../trunk/node/inference-node.ts';
import { packageVersion } from '../package.ts';

/** What the HTTP endpoints of a node report on. */
export type NodeParts = {
  node: InferenceNode;
  engine: AcousticEngine;
  scoring: Scoring;
  log: Log;
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
  const now = () => performance.now();
  const throttled = new ThrottledLog(log, now);
  const timer = setInterval(() => throttled.flush(), flushMs).unref();
  const refused = (refusal: RefusedRequest) =>
    noteHttpRefusal({ metrics, log: throttled }, refusal, 'a connection or address asked for too much');
  const http = createListener(undefined, defaultLimits, { hearsNameless: true, onCut: () => refused(pipelined) });
  answerPlainHttp(http, {
    ...{ limits: defaultLimits, trustedProxies: 0, now, metrics },
    onRefused: refused,
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
  });
  http.on('close', () => clearInterval(timer));
  await listen(
    http,
    { host: hostname, port },
    { anotherPort: 'choose another', address: 'an address of this machine' },
  );
  return http;
}

const pipelined = { reason: 'pipelined', limit: 'maxPipelinedRequests' } as const;
const flushMs = 1000;

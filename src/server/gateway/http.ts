import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EngineFault } from '../../acoustic/engine/types.ts';
import { streamPath } from '../../protocol/address.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { answerFault, faultsPath } from './faults.ts';

/** The parts of a server that its plain HTTP endpoints report on. */
export type HttpOptions = {
  metrics: Metrics;
  /** Why the server takes no new session; undefined: it does. */
  notReady(): string | undefined;
  /** Whether the request may read /metrics and inject faults. */
  isKnown(request: IncomingMessage): boolean;
  /**
   * Absent unless the server was started to be disturbed; false when the model has no thread yet.
   */
  injectFault?: ((fault: EngineFault) => boolean) | undefined;
};

/**
 * /healthz: the process answers. /readyz: the model is warm and alive, nothing drains. /metrics:
 * Prometheus. /faults/inference: for load tests.
 */
export function createHttpHandler(options: HttpOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const startedMs = performance.now();
    const path = pathOf(request);
    response.on('finish', () => {
      const endpoint = known.has(path) ? path : 'other';
      options.metrics.http(endpoint, response.statusCode, (performance.now() - startedMs) / 1000);
    });
    void answer(request, path, options)
      .catch((): Answer => problem(500, 'internal', 'the server failed on this request'))
      .then(({ status, contentType, body, headers }) => {
        response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', ...headers });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  };
}

/** The path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

type Answer = { status: number; contentType: string; body: string; headers?: Record<string, string> };

const known = new Set(['/healthz', '/readyz', '/metrics', streamPath, faultsPath]);

async function answer(request: IncomingMessage, path: string, options: HttpOptions): Promise<Answer> {
  const allowed = path === faultsPath ? ['POST'] : ['GET', 'HEAD'];
  if (!allowed.includes(request.method ?? '')) {
    const allow = allowed.join(', ');
    return problem(405, 'method_not_allowed', `${request.method} is not one of ${allow}`, { allow });
  }
  switch (path) {
    case '/healthz':
      return json(200, { status: 'ok' });
    case '/readyz': {
      const reason = options.notReady();
      return reason === undefined ? json(200, { status: 'ready' }) : json(503, { status: 'not_ready', reason });
    }
    case '/metrics': {
      if (!options.isKnown(request)) return tokenNeeded();
      const { body, contentType } = await options.metrics.expose();
      return { status: 200, contentType, body };
    }
    case faultsPath: {
      if (!options.isKnown(request)) return tokenNeeded();
      const outcome = await answerFault(request, options.injectFault);
      return 'fault' in outcome
        ? json(outcome.status, outcome.fault)
        : problem(outcome.status, outcome.code, outcome.message);
    }
    case streamPath:
      return problem(426, 'upgrade_required', 'this is a WebSocket: subprotocol speechfb.v1', { upgrade: 'websocket' });
    default:
      return problem(404, 'not_found', `there is no ${path}; there are ${[...known].join(', ')}`);
  }
}

function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n`, headers };
}

function tokenNeeded(): Answer {
  return problem(401, 'unauthorized', 'a token is needed', { 'www-authenticate': 'Bearer' });
}

function problem(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return json(status, { error: { code, message } }, headers);
}

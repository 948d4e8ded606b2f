import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EngineFault } from '../../../acoustic/engine/types.ts';
import { streamPath } from '../../../protocol/address.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import { type MetricsFormat, metricsFormatOf } from '../../../telemetry/open-metrics.ts';
import { isForwarded } from '../../admission/address.ts';
import { type HttpRefusal, refusalHeaders } from '../../admission/http-refusal.ts';
import { facadeAt, facadePaths } from '../../facade/facades.ts';
import { isLatePath, type LateDoor, latePath } from '../../late/results-door.ts';
import { answerFault, faultsPath } from './faults.ts';
import { type Eventually, pathOf } from './upgrade.ts';

/** The parts of a server that its plain HTTP endpoints report on. */
export type HttpOptions = {
  metrics: Metrics;
  /** The metrics in the exposition format, and its content type. */
  expose(format: MetricsFormat): Promise<{ body: string; contentType: string }>;
  /** Why the server takes no new session; undefined: it does. */
  notReady(): string | undefined | Promise<string | undefined>;
  /**
   * Why the process scores nothing although it should; draining is no reason. Absent: whatever it
   * scores with mends itself, or is elsewhere.
   */
  stuck?(): string | undefined;
  /** The device that was lost, since when the CPU runs the model. */
  lostDevice(): string | undefined;
  /** Why a request comes too soon behind others. */
  tooMany(request: IncomingMessage): HttpRefusal | undefined;
  /** Why a request is not meant for this server at all. */
  misdirected(request: IncomingMessage): HttpRefusal | undefined;
  /** Why the request may not open a stream. */
  unknown(request: IncomingMessage): Eventually<HttpRefusal | undefined>;
  /** Why it may not read /metrics or inject faults. */
  refusedOperator(request: IncomingMessage): Eventually<HttpRefusal | undefined>;
  /** A request was answered with 500; `endpoint` is the path, without what it names. */
  onFailed(error: unknown, endpoint: string): void;
  /** Answers requests for results that come later; absent: there are none. */
  late?: LateDoor | undefined;
  /** The page that may read the answer although its own host is another. */
  pageOf(request: IncomingMessage): string | undefined;
  /**
   * Absent unless the server was started to be disturbed; false when the model has no thread yet.
   */
  injectFault?: ((fault: EngineFault) => boolean) | undefined;
};

/**
 * /healthz: the process answers. /livez: what scores in it has moved. /readyz: the model is warm
 * and alive, nothing drains. /metrics: Prometheus. /v1/sessions: results that come later.
 * /faults/inference: for load tests.
 */
export function createHttpHandler(options: HttpOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const startedMs = performance.now();
    const path = pathOf(request);
    const endpoint = known.has(path) ? path : isLatePath(path) ? latePath : 'other';
    response.on('finish', () => {
      options.metrics.http(endpoint, response.statusCode, (performance.now() - startedMs) / 1000);
    });
    void answer(request, path, options)
      .catch((error: unknown): Answer => {
        options.onFailed(error, endpoint);
        return problem(500, 'internal', 'the server failed on this request; the log says why');
      })
      .then(({ status, contentType, body, headers }) => {
        response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', ...headers });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  };
}

type Answer = { status: number; contentType: string; body: string; headers?: Record<string, string> };

const known = new Set(['/healthz', '/readyz', '/metrics', streamPath, ...facadePaths, faultsPath, '/livez']);

async function answer(request: IncomingMessage, path: string, options: HttpOptions): Promise<Answer> {
  const tooMany = options.tooMany(request);
  // Who has to connect again is slower; behind a proxy it is the proxy's connection.
  if (tooMany) return refused(tooMany, isForwarded(request) ? {} : { connection: 'close' });
  const misdirected = options.misdirected(request);
  if (misdirected) return refused(misdirected);
  if (path === streamPath || facadePaths.includes(path)) return answerStream(request, path, options);
  if (options.late && isLatePath(path)) return await answerLate(request, path, options.late, options.pageOf(request));
  const allowed = path === faultsPath ? ['POST'] : ['GET', 'HEAD'];
  if (!allowed.includes(request.method ?? '')) {
    const allow = allowed.join(', ');
    return problem(405, 'method_not_allowed', `${request.method} is not one of ${allow}`, { allow });
  }
  switch (path) {
    case '/healthz':
      return json(200, { status: 'ok' });
    case '/livez': {
      const reason = options.stuck?.();
      return reason === undefined ? json(200, { status: 'alive' }) : json(503, { status: 'stuck', reason });
    }
    case '/readyz': {
      const reason = await options.notReady();
      if (reason !== undefined) return json(503, { status: 'not_ready', reason });
      const lost = options.lostDevice();
      return json(200, { status: 'ready', ...(lost !== undefined && { reason: `${lost} was lost; the CPU goes on` }) });
    }
    case '/metrics': {
      const unknown = await options.refusedOperator(request);
      if (unknown) return refused(unknown);
      const { body, contentType } = await options.expose(metricsFormatOf(request.headers.accept));
      return { status: 200, contentType, body };
    }
    case faultsPath: {
      const unknown = await options.refusedOperator(request);
      if (unknown) return refused(unknown);
      const outcome = await answerFault(request, options.injectFault);
      return 'fault' in outcome
        ? json(outcome.status, outcome.fault)
        : problem(outcome.status, outcome.code, outcome.message);
    }
    default:
      return problem(404, 'not_found', `there is no ${path}; there are ${[...known].join(', ')}`);
  }
}

/** Results are for pages of other hosts too, as streams are. */
async function answerLate(
  request: IncomingMessage,
  path: string,
  late: LateDoor,
  page: string | undefined,
): Promise<Answer> {
  const allowed = page === undefined ? {} : { 'access-control-allow-origin': page, vary: 'Origin' };
  if (request.method === 'OPTIONS' && page !== undefined) {
    const preflight = {
      'access-control-allow-methods': 'GET, DELETE',
      'access-control-allow-headers': 'authorization',
    };
    return json(200, {}, { ...allowed, ...preflight });
  }
  const { status, body, headers } = await late(request, path);
  return { ...json(status, body, { ...allowed, ...headers }), ...(status === 204 && { body: '' }) };
}

function json(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n`, headers };
}

/**
 * What an upgrade of this caller would be answered, in the words of the path's protocol. A browser
 * tells its page nothing of a refused upgrade: a page that wants to know why asks here, with the
 * same token.
 */
async function answerStream(request: IncomingMessage, path: string, options: HttpOptions): Promise<Answer> {
  const facade = facadeAt(path);
  const page = options.pageOf(request);
  const headers = page === undefined ? {} : { 'access-control-allow-origin': page, vary: 'Origin' };
  if (request.method === 'OPTIONS' && page !== undefined) {
    const preflight = { 'access-control-allow-methods': 'GET', 'access-control-allow-headers': 'authorization' };
    return json(200, {}, { ...headers, ...preflight });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem(405, 'method_not_allowed', `${request.method} is not one of GET, HEAD`, { allow: 'GET, HEAD' });
  }
  const unknown = await options.unknown(request);
  if (unknown && facade) {
    const { body, contentType, headers: own } = facade.words(unknown);
    return { status: unknown.status, contentType, body, headers: { ...headers, ...refusalHeaders(unknown), ...own } };
  }
  if (unknown) return refused(unknown, headers);
  const message = `this is a WebSocket: ${facade ? `live sound as ${facade.name} has it` : 'subprotocol speechfb.v1'}`;
  return problem(426, 'upgrade_required', message, { ...headers, upgrade: 'websocket' });
}

function refused(refusal: HttpRefusal, headers: Record<string, string> = {}): Answer {
  return problem(refusal.status, refusal.code, refusal.message, { ...headers, ...refusalHeaders(refusal) });
}

function problem(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return json(status, { error: { code, message } }, headers);
}

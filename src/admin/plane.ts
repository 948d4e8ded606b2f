import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AuditHead } from '../audit/entry.ts';
import type { AuditLog } from '../audit/log.ts';
import { SpeechfbError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { listen } from '../listen.ts';
import { plainText, sentenceColumns } from '../plain-text.ts';
import { isLoopback } from '../server/admission/exposure.ts';
import { closeListener, createListener, refuseUnread } from '../server/gateway/http/listener.ts';
import { RequestTurns } from '../server/gateway/http/request-turns.ts';
import { defaultLimits } from '../server/limits.ts';
import { type Log, stackOf } from '../telemetry/log.ts';
import { ThrottledLog } from '../telemetry/throttled-log.ts';
import type { AdminTokens } from './admin-tokens.ts';
import { readJson } from './body.ts';
import { DrainControl } from './drain-control.ts';
import { externalMetricsPath } from './external-metrics.ts';
import type { FrontProxy } from './front-proxy.ts';
import { AdminGuard, addressOf, checkAdminExposure } from './guard.ts';
import { type AdminRefusal, RefusedCall } from './refusal.ts';
import { type AdminCall, externalRoute, type Route, type RouteContext, routes } from './routes.ts';
import type { AdminTarget } from './target.ts';

export type AdminPlaneOptions = {
  host: string;
  /** 0: any free one. */
  port: number;
  /** PEM texts. */
  tls?: { certificate: string; key: string } | undefined;
  tokens: AdminTokens;
  /** Reads external metrics by its certificate; absent: nobody does. */
  frontProxy?: FrontProxy | undefined;
  /** Names by which it may be called beside those of this machine. */
  hosts: readonly string[];
  target: AdminTarget;
  audit: AuditLog | undefined;
  log: Log;
};

/** The admin plane of a server: HTTP on a port of its own. */
export class AdminPlane {
  readonly url: string;
  readonly #server: Server;
  readonly #context: RouteContext;
  readonly #timer: NodeJS.Timeout;

  /** @throws SpeechfbError `unsafe_host`, `bad_tls`, `port_in_use`, `cannot_listen` */
  static async start(options: AdminPlaneOptions): Promise<AdminPlane> {
    const { host, port, tls, frontProxy, target, audit, log } = options;
    checkAdminExposure(host, tls !== undefined);
    const server = createListener(tls, { ...defaultLimits, handshakeTimeoutMs }, { clientCa: frontProxy?.ca });
    // Those who run a server are few: strangers must not take its memory here.
    server.maxConnections = mostConnections;
    const bound = await listen(server, { host, port }, listenHints);
    const name = host.includes(':') ? `[${host}]` : host;
    const url = `${tls ? 'https' : 'http'}://${name}:${bound}`;
    log.info({ url, audit: audit?.file ?? 'none: nothing can be changed', role: target.role }, 'admin plane');
    return new AdminPlane(url, server, options);
  }

  private constructor(url: string, server: Server, options: AdminPlaneOptions) {
    const { host, tokens, frontProxy, hosts, target, audit, log } = options;
    this.url = url;
    this.#server = server;
    const now = () => performance.now();
    const drain = new DrainControl({
      open: () => target.open(),
      cordon: (isCordoned) => target.cordon(isCordoned),
      leave: () => target.leave(),
      now,
    });
    this.#context = { target, drain, audit, startedMs: now(), now };
    const throttled = new ThrottledLog(log, now);
    this.#timer = setInterval(() => throttled.flush(), flushMs);
    this.#timer.unref();
    const guard = new AdminGuard({ tokens, frontProxy, hosts: { allowed: hosts, loopback: isLoopback(host) }, now });
    const calls = new Calls(guard, this.#context, throttled);
    const turns = new RequestTurns({ limits: defaultLimits, now });
    server.on('request', (request, response) => {
      turns.enter(addressOf(request), () => {
        if (!request.socket.destroyed) void calls.answer(request, response);
      });
    });
    server.on('clientError', (error, socket) => refuseUnread(error, socket, defaultLimits));
  }

  async close(): Promise<void> {
    this.#context.drain.close();
    clearInterval(this.#timer);
    await closeListener(this.#server);
  }
}

/** Answers calls; those that change something one after the other. */
class Calls {
  readonly #guard: AdminGuard;
  readonly #context: RouteContext;
  readonly #log: Log;
  #last: Promise<unknown> = Promise.resolve();

  constructor(guard: AdminGuard, context: RouteContext, log: Log) {
    this.#guard = guard;
    this.#context = context;
    this.#log = log;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
    try {
      const { route, caller } = this.#find(request, path);
      const isChange = request.method === 'POST';
      const body = isChange ? await readJson(request) : undefined;
      const call = { caller, query: new URLSearchParams(query), body };
      const document = await (isChange ? this.#inTurn(route, call) : route.answer(this.#context, call));
      if (isChange) this.#note(call, path, document);
      send(response, 200, document, {}, request.method);
    } catch (error) {
      // Who has gone hears nothing.
      if (request.destroyed && !request.complete) return;
      const { status, code, message, headers = {} } = this.#refusalOf(error, path);
      // What is left of a body is not read.
      if (!request.complete) response.setHeader('connection', 'close');
      const sentence = plainText(message, sentenceColumns);
      send(response, status, { error: { code, message: sentence } }, headers, request.method);
    }
  }

  #find(request: IncomingMessage, path: string) {
    const isExternal = path === externalMetricsPath || path.startsWith(`${externalMetricsPath}/`);
    const caller = this.#guard.identify(request, isExternal);
    if ('status' in caller) throw new RefusedCall(caller);
    const methods = Object.hasOwn(routes, path) ? routes[path]! : externalRoute(path);
    if (!methods) {
      const message = `there is no such path; there are ${Object.keys(routes).join(', ')}`;
      throw new RefusedCall({ status: 404, code: 'not_found', message });
    }
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const route = Object.hasOwn(methods, method) ? methods[method]! : undefined;
    if (!route) {
      const allow = Object.keys(methods).join(', ');
      const message = `${path} takes ${allow}`;
      throw new RefusedCall({ status: 405, code: 'method_not_allowed', message, headers: { allow } });
    }
    if (route.role === 'operate' && caller.role !== 'operate') {
      const message = `the token of "${caller.name}" may look and change nothing`;
      throw new RefusedCall({ status: 403, code: 'forbidden', message });
    }
    return { route, caller };
  }

  #inTurn(route: Route, call: AdminCall): Promise<object> {
    const done = this.#last.then(() => route.answer(this.#context, call));
    this.#last = done.catch(() => {});
    return done;
  }

  /** The head of the log beside what was done: logs that are kept elsewhere then keep it, too. */
  #note({ caller }: AdminCall, path: string, document: object): void {
    const { audit, changed } = document as { audit?: AuditHead | null; changed?: boolean };
    const entry = audit ? `${audit.seq}:${audit.hash}` : undefined;
    this.#log.info({ actor: caller.name, path, changed, audit: entry }, 'an operator called');
  }

  #refusalOf(error: unknown, path: string): AdminRefusal {
    if (error instanceof RefusedCall) {
      const { status, code } = error.refusal;
      const known = Object.hasOwn(routes, path) ? path : 'other';
      this.#log.warn({ status, code, path: known }, 'a call of the admin plane was refused');
      return error.refusal;
    }
    if (error instanceof SpeechfbError) {
      this.#log.error(
        { code: error.code, error: error.message },
        'nothing was changed: the audit log cannot be written',
      );
      return { status: 503, code: error.code, message: `nothing was changed: ${error.message}` };
    }
    this.#log.error({ error: stackOf(error) }, 'a call of the admin plane failed');
    return { status: 500, code: 'internal', message: 'the server failed on this call' };
  }
}

function send(
  response: ServerResponse,
  status: number,
  document: object,
  headers: Record<string, string>,
  method: string | undefined,
): void {
  const common = { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers };
  response.writeHead(status, common);
  response.end(method === 'HEAD' ? undefined : `${jsonText(document, 0)}\n`);
}

const listenHints = {
  anotherPort: 'choose another with --admin-listen HOST:PORT, port 0 for any free one',
  address: '--admin-listen takes an address of this machine; ports below 1024 need rights',
};
const handshakeTimeoutMs = 10_000;
const mostConnections = 100;
const flushMs = 1000;

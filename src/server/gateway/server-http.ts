import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import { type Log, stackOf } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type HttpRefusal, refuseSocket } from '../admission/http-refusal.ts';
import type { Lobby } from '../admission/lobby.ts';
import { resultsDoor } from '../late/results-door.ts';
import type { Limits } from '../limits.ts';
import type { Session } from '../session/session.ts';
import { FrontDoor } from './http/front-door.ts';
import { createHttpHandler } from './http/handler.ts';
import { createListener, refuseUnread } from './http/listener.ts';
import { watchAnswers } from './http/unanswered.ts';
import { type CallerPolicy, identify, misdirected, refusalIn, refusedOperator } from './http/upgrade.ts';
import type { ServerOptions } from './server-options.ts';

/** The parts of a server that requests come to. */
export type HttpParts = {
  options: Pick<ServerOptions, 'port' | 'quicPort' | 'tls' | 'faultInjection' | 'supervision' | 'late'>;
  host: string;
  limits: Limits;
  policy: CallerPolicy;
  metrics: Metrics;
  log: Pick<Log, 'info' | 'error'>;
  lobby: Lobby;
  engine(): AcousticEngine | undefined;
  notReady(): string | undefined;
  /** A session that goes on here, or may. */
  session(id: string): Session | undefined;
  injectFault(fault: EngineFault): boolean;
  onUnread(refusal: Pick<HttpRefusal, 'reason' | 'limit'>): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
};

/** Where callers come in to a gateway; nobody listens yet. */
export function createFrontDoor(parts: HttpParts): FrontDoor {
  const { options, host, limits, lobby, log } = parts;
  const { port = 0, quicPort, tls } = options;
  return new FrontDoor({
    http: createHttpServer(parts),
    ...{ host, port, quicPort, tls, limits },
    onQuic: (socket) => lobby.enter(socket),
    onSilent: () => parts.onUnread({ reason: 'timeout', limit: 'handshakeTimeoutMs' }),
    onRenewed: (cut) => log.info({ cut }, 'QUIC shows the new certificate; who was cut comes back'),
    onNotRenewed: ({ code, message }) => log.error({ code, error: message }, 'QUIC cannot show the new certificate'),
  });
}

function createHttpServer(parts: HttpParts): Server {
  const { options, limits, policy, metrics, lobby, log, notReady } = parts;
  const { tls, faultInjection, supervision, late } = options;
  const http = createListener(tls, limits, { hearsNameless: true });
  const handler = createHttpHandler({
    metrics,
    expose: (format) => supervision?.metrics() ?? metrics.expose(format),
    notReady: () => supervision?.notReady() ?? notReady(),
    lostDevice: () => parts.engine()?.lostDevice?.device,
    misdirected: (request) => misdirected(request, policy),
    unknown: (request) => refusalIn(identify(request, policy)),
    refusedOperator: (request) => refusedOperator(request, policy),
    pageOf: ({ headers: { origin } }) =>
      origin !== undefined && policy.origins.allowed.includes(origin) ? origin : undefined,
    late:
      late && resultsDoor({ ...late, identified: async (request) => identify(request, policy), live: parts.session }),
    injectFault: faultInjection ? parts.injectFault : undefined,
    onFailed: (error, endpoint) =>
      log.error({ endpoint, error: stackOf(error) }, 'a request of HTTP could not be answered'),
  });
  http.on('connection', (socket) => lobby.enter(socket));
  http.on('request', handler);
  refuseOdd(http, parts);
  return http;
}

/** Hands over what asks for a WebSocket, and refuses what is no request that anybody answers. */
function refuseOdd(http: Server, { limits, onUnread, onUpgrade }: HttpParts): void {
  const isUnanswered = watchAnswers(http);
  http.on('upgrade', (request, socket, head) => {
    if (!isUnanswered(socket)) {
      onUpgrade(request, socket, head);
      return;
    }
    // The answer that is under way would be written into the WebSocket.
    socket.on('error', () => {});
    socket.destroy();
    onUnread({ reason: 'malformed' });
  });
  http.on('clientError', (error, socket) => {
    const refusal = refuseUnread(error, socket, limits);
    if (refusal) onUnread(refusal);
  });
  http.on('connect', (_, socket) => {
    refuseSocket(socket, noProxy);
    onUnread(noProxy);
  });
  http.on('checkExpectation', (_, response) => {
    response.writeHead(417, { connection: 'close' }).end();
    onUnread({ reason: 'malformed' });
  });
}

const noProxy: HttpRefusal = {
  status: 400,
  reason: 'malformed',
  code: 'invalid_message',
  message: 'this server is no proxy',
};

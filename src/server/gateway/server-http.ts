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
import { createListener, refuseUnread } from './http/listener.ts';
import { answerPlainHttp } from './http/plain-http.ts';
import { isUnanswered } from './http/reads.ts';
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
  onRefused(refusal: Pick<HttpRefusal, 'reason' | 'limit'>, message: string): void;
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
    onSilent: () => parts.onRefused({ reason: 'timeout', limit: 'handshakeTimeoutMs' }, unread),
    onRenewed: (cut) => log.info({ cut }, 'QUIC shows the new certificate; who was cut comes back'),
    onNotRenewed: ({ code, message }) => log.error({ code, error: message }, 'QUIC cannot show the new certificate'),
  });
}

function createHttpServer(parts: HttpParts): Server {
  const { options, limits, policy, metrics, lobby, log, notReady, onRefused } = parts;
  const { tls, faultInjection, supervision, late } = options;
  const http = createListener(tls, limits, { hearsNameless: true, onCut: () => onRefused(pipelined, flooding) });
  http.on('connection', (socket) => lobby.enter(socket));
  answerPlainHttp(http, {
    limits,
    trustedProxies: policy.trustedProxies,
    now: () => performance.now(),
    onRefused: (refusal) => onRefused(refusal, flooding),
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
  refuseOdd(http, parts);
  return http;
}

/** Hands over what asks for a WebSocket, and refuses what is no request that anybody answers. */
function refuseOdd(http: Server, { limits, onRefused, onUpgrade }: HttpParts): void {
  http.on('upgrade', (request, socket, head) => {
    if (!isUnanswered(socket)) {
      onUpgrade(request, socket, head);
      return;
    }
    // The answer that is under way would be written into the WebSocket.
    socket.on('error', () => {});
    socket.destroy();
    onRefused({ reason: 'malformed' }, unread);
  });
  http.on('clientError', (error, socket) => {
    const refusal = refuseUnread(error, socket, limits);
    if (refusal) onRefused(refusal, unread);
  });
  http.on('connect', (_, socket) => {
    refuseSocket(socket, noProxy);
    onRefused(noProxy, unread);
  });
  http.on('checkExpectation', () => onRefused({ reason: 'malformed' }, unread));
}

const unread = 'a connection brought no request that can be read';
const flooding = 'a connection or address asked for too much';
const pipelined = { reason: 'pipelined', limit: 'maxPipelinedRequests' } as const;
const noProxy: HttpRefusal = {
  status: 400,
  reason: 'malformed',
  code: 'invalid_message',
  message: 'this server is no proxy',
};

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import { streamPath } from '../../protocol/address.ts';
import type { Log } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { collectGarbage } from '../../threads/collect-garbage.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { Scoring, ServerContext } from '../session/context.ts';
import { createAdmission, stalled } from './admission.ts';
import { type Connection, createConnection } from './connection.ts';
import { type DrainReport, drainSessions } from './drain.ts';
import { checkExposure, isLoopback } from './exposure.ts';
import { createHttpHandler, pathOf } from './http.ts';
import { createIdleSweep } from './idle-sweep.ts';
import { closeListener, createListener, listen, refuseUpgrade } from './listener.ts';
import { createRegistry } from './registry.ts';
import type { Tokens } from './tokens.ts';
import { chooseSubprotocol, identify, offersSubprotocol } from './upgrade.ts';

export type ServerOptions = {
  /** Several servers may share one; a promise is a model that still warms up: the server listens and is not ready. */
  engine: AcousticEngine | Promise<AcousticEngine>;
  scoring: Scoring;
  log: Log;
  version: string;
  host?: string;
  /** 0: any free one. */
  port?: number;
  limits?: Partial<Limits>;
  tokens?: Tokens | undefined;
  /** PEM texts. */
  tls?: { certificate: string; key: string } | undefined;
  /** Whether `POST /faults/inference` may stall or kill the model's thread; else it is answered 403. */
  faultInjection?: boolean;
  /** Pages of other hosts that may connect, as `https://host:port`. */
  origins?: readonly string[];
};

export type RunningServer = {
  readonly port: number;
  /** `ws://` or `wss://`, of the stream. */
  readonly url: string;
  /** Resolves when the model is warm; rejects when it could not be loaded. */
  readonly ready: Promise<void>;
  stats(): ServerStats;
  /** Takes no more sessions, tells every one to go, sends their finals within `limits.drainMs`, closes. */
  drain(): Promise<DrainReport>;
  /** Cuts everything at once. The engine is left to its owner. */
  close(): Promise<void>;
};

export type ServerStats = { sockets: number; sessions: number; streaming: number; detached: number; ending: number };

/** @throws SpeechfbError `unsafe_host`, `port_in_use`, `cannot_listen`, `bad_tls` */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const host = options.host ?? '127.0.0.1';
  checkExposure(host, { tokens: options.tokens !== undefined, tls: options.tls !== undefined });
  const now = (): number => performance.now();
  let engine: AcousticEngine | undefined;
  const metrics = createMetrics({
    version: options.version,
    sessions: () => registry.countByState(),
    engine: () => (engine ? { provider: engine.provider, ...engine.stats() } : undefined),
    scoring: () => options.scoring.stats?.(),
  });
  const context: ServerContext = {
    get engine() {
      if (!engine) throw new Error('the model is not loaded yet');
      return engine;
    },
    scoring: options.scoring,
    limits,
    metrics,
    log: options.log,
    now,
  };
  const registry = createRegistry(context);
  const admission = createAdmission(limits, now());
  const sweep = createIdleSweep(() => {
    collectGarbage();
    engine?.tidy?.();
    options.scoring.tidy?.();
  });
  const connections = new Set<Connection>();
  let draining = false;
  const origins = { allowed: options.origins ?? [], loopback: isLoopback(host) };

  const http = createListener(options.tls);
  http.on(
    'request',
    createHttpHandler({
      metrics,
      notReady: () => (draining ? 'draining' : engine ? stalled(engine.stats(), limits) : 'the model warms up'),
      isKnown: (request) => identify(request, options.tokens, origins).ok,
      injectFault: options.faultInjection ? injectFault : undefined,
    }),
  );
  const socketOptions = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: Math.max(limits.maxFrameBytes, limits.maxMessageBytes) * oversizeFactor,
    closeTimeout: closeTimeoutMs,
    handleProtocols: chooseSubprotocol,
  };
  const sockets = new WebSocketServer(socketOptions);
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const status = refusalStatus(request);
    if (status) {
      refuseUpgrade(socket, status);
      return;
    }
    // ws sets TCP_NODELAY itself.
    sockets.handleUpgrade(request, socket, head, (client) => {
      const caller = identify(request, options.tokens, origins);
      const owner = caller.ok ? caller.owner : undefined;
      const onClose = (): void => void connections.delete(connection);
      const connection = createConnection({
        socket: client,
        transport: socket,
        context,
        registry,
        owner,
        admit,
        onClose,
      });
      connections.add(connection);
      if (!caller.ok) connection.refuse(caller.refusal);
    });
  });
  const port = await listen(http, host, options.port ?? 0);
  const ready = Promise.resolve(options.engine).then((loaded) => {
    engine = loaded;
  });
  ready.catch(() => {});
  const ticks = setInterval(tick, tickMs);
  const beats = setInterval(() => {
    for (const connection of connections) connection.beat();
  }, limits.heartbeatMs);
  options.log.info({ host, port, tls: options.tls !== undefined, tokens: options.tokens !== undefined }, 'listening');

  return {
    port,
    url: `${options.tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}${streamPath}`,
    ready,
    stats: () => ({ sockets: connections.size, sessions: registry.size, ...registry.countByState() }),
    drain,
    close,
  };

  async function drain(): Promise<DrainReport> {
    draining = true;
    for (const connection of connections) connection.leave();
    const report = await drainSessions(registry.all(), limits.drainMs, () => connections.size === 0);
    await close();
    return report;
  }

  async function close(): Promise<void> {
    draining = true;
    clearInterval(ticks);
    clearInterval(beats);
    for (const connection of connections) connection.terminate();
    for (const session of registry.all()) session.abandon();
    await closeListener(http);
  }

  function admit(): Refusal | undefined {
    const stats = { engine: engine?.stats(), scoring: options.scoring.stats?.() };
    const refusal = admission.admit({ nowMs: now(), sessions: registry.size, draining, ...stats });
    // One that is over before the next tick leaves its garbage too.
    if (!refusal) sweep.look(registry.size + 1, now());
    return refusal;
  }

  function injectFault(fault: EngineFault): boolean {
    engine?.injectFault?.(fault);
    return engine?.injectFault !== undefined;
  }

  /** What no WebSocket is opened for. */
  function refusalStatus(request: IncomingMessage): string | undefined {
    if (pathOf(request) !== streamPath) return '404 Not Found';
    if (!offersSubprotocol(request)) return '400 Bad Request';
    return connections.size >= limits.maxConnections ? '503 Service Unavailable' : undefined;
  }

  function tick(): void {
    const nowMs = now();
    for (const connection of connections) connection.tick(nowMs);
    for (const session of registry.all()) session.tick();
    sweep.look(registry.size, nowMs);
  }
}

/** Jitter waits, acknowledgements and timeouts are looked at this often. */
const tickMs = 20;
/** How long a closing handshake may take. */
const closeTimeoutMs = 5000;
/** Up to this many times the limit a message is read and refused with an `error`; beyond it ws closes with 1009. */
const oversizeFactor = 4;

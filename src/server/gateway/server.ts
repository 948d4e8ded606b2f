import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import { listen } from '../../listen.ts';
import { streamPath, subprotocol } from '../../protocol/address.ts';
import type { Log } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { collectGarbage } from '../../threads/memory.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { BusyThreads } from '../overload/busy-threads.ts';
import { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';
import type { Scoring, ServerContext } from '../session/context.ts';
import { Admission, stalled } from './admission.ts';
import { Connection } from './connection.ts';
import { type DrainReport, drainSessions } from './drain.ts';
import { checkExposure, isLoopback, type OriginPolicy } from './exposure.ts';
import { createHttpHandler, pathOf } from './http.ts';
import { IdleSweep } from './idle-sweep.ts';
import { closeListener, createListener, refuseUpgrade } from './listener.ts';
import { Registry } from './registry.ts';
import type { Tokens } from './tokens.ts';
import { type Caller, chooseSubprotocol, identify, offersSubprotocol } from './upgrade.ts';

export type ServerOptions = {
  /**
   * Several servers may share one; a promise is a model that still warms up: the server listens and
   * is not ready.
   */
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
  /**
   * Whether `POST /faults/inference` may stall or kill the model's thread; else it is answered 403.
   */
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
  /**
   * Takes no more sessions, tells every one to go, sends their finals within `limits.drainMs`,
   * closes.
   */
  drain(): Promise<DrainReport>;
  /** Cuts everything at once. The engine is left to its owner. */
  close(): Promise<void>;
};

type ServerStats = { sockets: number; sessions: number; streaming: number; detached: number; ending: number };

/** @throws SpeechfbError `unsafe_host`, `port_in_use`, `cannot_listen`, `bad_tls` */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new Server(options);
  await server.listen();
  return server;
}

class Server implements RunningServer {
  readonly #options: ServerOptions;
  readonly #host: string;
  readonly #limits: Limits;
  readonly #origins: OriginPolicy;
  readonly #metrics: Metrics;
  readonly #context: ServerContext;
  readonly #registry: Registry;
  readonly #admission: Admission;
  readonly #overload: OverloadControl;
  readonly #threads = new BusyThreads();
  readonly #sweep: IdleSweep;
  readonly #http: HttpServer;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  #engine: AcousticEngine | undefined;
  #ready: Promise<void> = Promise.resolve();
  #port = 0;
  #timers: NodeJS.Timeout[] = [];
  #isDraining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#host = options.host ?? '127.0.0.1';
    checkExposure(this.#host, { tokens: options.tokens !== undefined, tls: options.tls !== undefined });
    this.#origins = { allowed: options.origins ?? [], loopback: isLoopback(this.#host) };
    this.#metrics = this.#newMetrics();
    this.#overload = new OverloadControl(this.#limits, availableParallelism());
    this.#context = this.#createContext();
    this.#registry = new Registry(this.#context);
    this.#admission = new Admission(this.#limits, performance.now());
    this.#sweep = new IdleSweep(() => {
      collectGarbage();
      this.#engine?.tidy?.();
      options.scoring.tidy?.();
    });
    this.#http = this.#createHttp();
    this.#sockets = new WebSocketServer(socketOptions(this.#limits));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `${this.#options.tls ? 'wss' : 'ws'}://${host}:${this.#port}${streamPath}`;
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Takes connections from here on, and the model as soon as it is loaded. */
  async listen(): Promise<void> {
    const { engine, log, port, tls, tokens } = this.#options;
    this.#port = await listen(this.#http, { host: this.#host, port: port ?? 0 }, listenHints);
    this.#ready = Promise.resolve(engine).then((loaded) => {
      this.#engine = loaded;
    });
    this.#ready.catch(() => {});
    const beat = (): void => {
      for (const connection of this.#connections) connection.heartbeat();
    };
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(beat, this.#limits.heartbeatMs)];
    const guards = { tls: tls !== undefined, tokens: tokens !== undefined };
    log.info({ host: this.#host, port: this.#port, ...guards }, 'listening');
  }

  stats(): ServerStats {
    return { sockets: this.#connections.size, sessions: this.#registry.size, ...this.#registry.countByState() };
  }

  async drain(): Promise<DrainReport> {
    this.#isDraining = true;
    for (const connection of this.#connections) connection.leave();
    const areClosed = (): boolean => this.#connections.size === 0;
    const report = await drainSessions(this.#registry.all(), this.#limits.drainMs, areClosed);
    await this.close();
    return report;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const connection of this.#connections) connection.terminate();
    for (const session of this.#registry.all()) session.abandon();
    await closeListener(this.#http);
  }

  #newMetrics(): Metrics {
    const { version, scoring } = this.#options;
    return new Metrics({
      version,
      sessions: () => this.#registry.countByState(),
      engine: () => (this.#engine ? { provider: this.#engine.provider, ...this.#engine.stats() } : undefined),
      scoring: () => scoring.stats?.(),
    });
  }

  #createContext(): ServerContext {
    const loaded = (): AcousticEngine => {
      if (!this.#engine) throw new Error('the model is not loaded yet');
      return this.#engine;
    };
    return {
      get engine() {
        return loaded();
      },
      scoring: this.#options.scoring,
      limits: this.#limits,
      metrics: this.#metrics,
      log: this.#options.log,
      overload: this.#overload,
      now: () => performance.now(),
    };
  }

  #createHttp(): HttpServer {
    const { tls, faultInjection } = this.#options;
    const http = createListener(tls);
    const handler = createHttpHandler({
      metrics: this.#metrics,
      notReady: () => this.#notReady(),
      isKnown: (request) => this.#identify(request).ok,
      injectFault: faultInjection ? (fault) => this.#injectFault(fault) : undefined,
    });
    http.on('request', handler);
    http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    return http;
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusalOf(request);
    if (refusal) {
      refuseUpgrade(socket, refusal);
      return;
    }
    // ws sets TCP_NODELAY itself.
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      this.#connect(client, socket, this.#identify(request));
    });
  }

  #connect(socket: WebSocket, transport: Duplex, caller: Caller): void {
    const connection: Connection = new Connection({
      socket,
      transport,
      context: this.#context,
      registry: this.#registry,
      owner: caller.ok ? caller.owner : undefined,
      admit: () => this.#admit(),
      onClose: () => void this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    if (!caller.ok) connection.refuse(caller.refusal);
  }

  #identify(request: IncomingMessage): Caller {
    return identify(request, this.#options.tokens, this.#origins);
  }

  /** The HTTP status of a request that no WebSocket is opened for, and why. */
  #refusalOf(request: IncomingMessage): { status: string; why: string } | undefined {
    const { maxConnections } = this.#limits;
    if (pathOf(request) !== streamPath) return { status: '404 Not Found', why: `streams are at ${streamPath}` };
    if (!offersSubprotocol(request))
      return { status: '400 Bad Request', why: `offer the subprotocol ${subprotocol} (Sec-WebSocket-Protocol)` };
    if (this.#connections.size < maxConnections) return undefined;
    return { status: '503 Service Unavailable', why: `all ${maxConnections} connections are taken; try again later` };
  }

  #admit(): Refusal | undefined {
    const nowMs = this.#context.now();
    const sessions = this.#registry.size;
    const stats = { engine: this.#engine?.stats(), scoring: this.#options.scoring.stats?.() };
    const refusal = this.#admission.admit({
      nowMs,
      sessions,
      draining: this.#isDraining,
      overload: this.#overload,
      ...stats,
    });
    // A session that is over before the next tick leaves its garbage too.
    if (!refusal) this.#sweep.look(sessions + 1, nowMs);
    return refusal;
  }

  #notReady(): string | undefined {
    if (this.#isDraining) return 'draining';
    return this.#engine ? stalled(this.#engine.stats(), this.#limits) : 'the model warms up';
  }

  #injectFault(fault: EngineFault): boolean {
    this.#engine?.injectFault?.(fault);
    return this.#engine?.injectFault !== undefined;
  }

  /** Tells everybody when the server takes a step, and sends the newest away when nothing else helps. */
  #watchOverload(nowMs: number): void {
    const { log, scoring } = this.#options;
    const utilisation = () => this.#threads.utilisation(this.#engine?.stats().busy, scoring.stats?.().busy);
    const hasChanged = this.#overload.tick(nowMs, tickMs, { sessions: this.#registry.size, utilisation });
    if (hasChanged) {
      const { step, standingMs, sessionLimit } = this.#overload;
      log.warn({ step, standingMs: Math.round(standingMs), sessionLimit }, 'the server spares its sessions');
      for (const session of this.#registry.all()) session.announceStep();
    }
    if (this.#overload.takeShed(nowMs)) this.#registry.newest()?.shed();
  }

  #tick(): void {
    const nowMs = this.#context.now();
    this.#watchOverload(nowMs);
    for (const connection of this.#connections) connection.tick(nowMs);
    for (const session of this.#registry.all()) session.tick();
    this.#sweep.look(this.#registry.size, nowMs);
  }
}

function socketOptions({ maxFrameBytes, maxMessageBytes }: Limits) {
  return {
    noServer: true,
    clientTracking: false,
    // Pings have a limit of ours: ws cuts a socket without a word from the 61st that waits for its
    // pong.
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: Math.max(maxFrameBytes, maxMessageBytes) * oversizeFactor,
    closeTimeout: closeTimeoutMs,
    handleProtocols: chooseSubprotocol,
  };
}

/** Jitter waits, acknowledgements and timeouts are looked at this often. */
const tickMs = 20;
/** How long a closing handshake may take. */
const closeTimeoutMs = 5000;
/**
 * Up to this many times the limit a message is read and refused with an `error`; beyond it ws
 * closes with 1009.
 */
const oversizeFactor = 4;

const listenHints = {
  anotherPort: 'choose another with --port, or --port 0 for any free one',
  address: '--host takes an address of this machine; ports below 1024 need rights',
};

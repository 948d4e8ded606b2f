import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import { listen } from '../../listen.ts';
import { streamPath } from '../../protocol/address.ts';
import type { Log } from '../../telemetry/log.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { ThrottledLog } from '../../telemetry/throttled-log.ts';
import { collectGarbage } from '../../threads/memory.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';
import type { Scoring, ServerContext } from '../session/context.ts';
import { Admission, jittered, stalled } from './admission.ts';
import { Connection } from './connection.ts';
import { type DrainReport, drainSessions } from './drain.ts';
import { checkExposure, isLoopback } from './exposure.ts';
import { createHttpHandler } from './http.ts';
import { type HttpRefusal, refuseSocket } from './http-refusal.ts';
import { IdleSweep } from './idle-sweep.ts';
import { closeListener, createListener, refuseUnread } from './listener.ts';
import { Lobby } from './lobby.ts';
import { OverloadWatch } from './overload-watch.ts';
import { Registry } from './registry.ts';
import type { Tokens } from './tokens.ts';
import {
  type Caller,
  type CallerPolicy,
  callerOfUpgrade,
  chooseSubprotocol,
  identify,
  misdirected,
} from './upgrade.ts';
import { WorkBudget } from './work-budget.ts';

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
  /** Names by which this server may be called beside those of this machine. */
  hosts?: readonly string[];
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
  readonly #log: ThrottledLog;
  readonly #policy: CallerPolicy;
  readonly #metrics: Metrics;
  readonly #context: ServerContext;
  readonly #registry: Registry;
  readonly #admission: Admission;
  readonly #overload: OverloadControl;
  readonly #watch: OverloadWatch;
  readonly #work: WorkBudget;
  readonly #sweep: IdleSweep;
  readonly #lobby: Lobby;
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
    const loopback = isLoopback(this.#host);
    this.#policy = {
      tokens: options.tokens,
      origins: { allowed: options.origins ?? [], loopback },
      hosts: { allowed: options.hosts ?? [], loopback },
    };
    this.#log = new ThrottledLog(options.log, () => performance.now());
    this.#metrics = this.#newMetrics();
    this.#overload = new OverloadControl(this.#limits, availableParallelism());
    this.#context = this.#createContext();
    this.#registry = new Registry(this.#context);
    this.#watch = new OverloadWatch({
      control: this.#overload,
      registry: this.#registry,
      log: this.#log,
      others: () => [this.#engine?.stats().busy, options.scoring.stats?.().busy],
    });
    this.#admission = new Admission(this.#limits, performance.now());
    this.#work = new WorkBudget(this.#limits, this.#context.now);
    this.#sweep = new IdleSweep(() => {
      collectGarbage();
      this.#engine?.tidy?.();
      options.scoring.tidy?.();
    });
    this.#lobby = new Lobby({
      limits: this.#limits,
      behindProxy: false,
      onEvicted: () => this.#refused('pending', 'connections that send no request have to go'),
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
      overload: () => this.#overload,
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
      log: this.#log,
      overload: this.#overload,
      now: () => performance.now(),
    };
  }

  #createHttp(): HttpServer {
    const { tls, faultInjection } = this.#options;
    const http = createListener(tls, this.#limits);
    const handler = createHttpHandler({
      metrics: this.#metrics,
      notReady: () => this.#notReady(),
      misdirected: (request) => misdirected(request, this.#policy),
      unknown: (request) => refusalIn(identify(request, this.#policy)),
      pageOf: ({ headers: { origin } }) =>
        origin !== undefined && this.#policy.origins.allowed.includes(origin) ? origin : undefined,
      injectFault: faultInjection ? (fault) => this.#injectFault(fault) : undefined,
    });
    http.on('connection', (socket) => this.#lobby.enter(socket));
    http.on('clientError', (error, socket) => {
      const refusal = refuseUnread(error, socket, this.#limits);
      if (refusal) this.#refused(refusal.reason, 'a connection brought no request that can be read');
    });
    http.on('request', handler);
    http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    return http;
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const caller = callerOfUpgrade(request, this.#policy);
    if ('status' in caller) {
      this.#refuse(socket, caller);
      return;
    }
    const full = this.#full();
    if (full) {
      this.#refuse(socket, full);
      return;
    }
    this.#lobby.leave(request.socket);
    // ws sets TCP_NODELAY itself.
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#connect(client, socket, caller));
  }

  #connect(socket: WebSocket, transport: Duplex, { owner }: Caller): void {
    const connection: Connection = new Connection({
      socket,
      transport,
      context: this.#context,
      registry: this.#registry,
      owner,
      work: this.#work.account(),
      admit: (phones) => this.#admit(phones),
      onClose: () => void this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #refuse(socket: Duplex, refusal: HttpRefusal): void {
    refuseSocket(socket, refusal);
    this.#refused(refusal.reason, 'an upgrade was refused');
  }

  #refused(reason: HttpRefusal['reason'], message: string): void {
    this.#metrics.refusedRequest(reason);
    this.#log.warn({ reason }, message);
  }

  /** The refusal of a caller who would be taken were there room. */
  #full(): HttpRefusal | undefined {
    const { maxConnections, busyRetryMs } = this.#limits;
    const late = this.#overload.refusalOf(this.#registry.size);
    // Before there is a session nobody can tell who comes back to one: while some wait for that,
    // all are heard out.
    if (late !== undefined && !this.#registry.hasDetached()) {
      return {
        status: 503,
        reason: 'overload',
        code: 'server_busy',
        message: late,
        retryAfterMs: jittered(busyRetryMs),
      };
    }
    if (this.#connections.size < maxConnections) return undefined;
    const message = `all ${maxConnections} connections (max_connections) are taken; try again later`;
    return { status: 503, reason: 'connections', code: 'server_busy', message, retryAfterMs: busyRetryMs };
  }

  #admit(phones: number): Refusal | undefined {
    const nowMs = this.#context.now();
    const sessions = this.#registry.size;
    const stats = { engine: this.#engine?.stats(), scoring: this.#options.scoring.stats?.() };
    const state = { nowMs, sessions, draining: this.#isDraining, overload: this.#overload, ...stats };
    const refusal = this.#admission.admit(state) ?? this.#work.admit(phones);
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

  #tick(): void {
    const nowMs = this.#context.now();
    this.#watch.tick(nowMs, tickMs);
    for (const connection of this.#connections) connection.tick(nowMs);
    for (const session of this.#registry.all()) session.tick();
    this.#log.flush();
    this.#sweep.look(this.#registry.size, nowMs);
  }
}

function refusalIn(caller: Caller | HttpRefusal): HttpRefusal | undefined {
  return 'status' in caller ? caller : undefined;
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

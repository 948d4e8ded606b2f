import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import { listen } from '../../listen.ts';
import { streamPath, subprotocol } from '../../protocol/address.ts';
import type { Log } from '../../telemetry/log.ts';
import { type MetricSources, Metrics, type SlotSource } from '../../telemetry/metrics.ts';
import { ThrottledLog } from '../../telemetry/throttled-log.ts';
import { collectGarbage } from '../../threads/memory.ts';
import type { Account } from '../admission/account.ts';
import { Accounts, type CallerAccounts } from '../admission/accounts.ts';
import { stalled } from '../admission/admission.ts';
import { checkExposure, checkFaults, isLoopback } from '../admission/exposure.ts';
import { type HttpRefusal, refuseSocket } from '../admission/http-refusal.ts';
import { Lobby } from '../admission/lobby.ts';
import type { Room } from '../admission/room.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import type { Tokens } from '../admission/tokens.ts';
import { WorkBudget } from '../admission/work-budget.ts';
import { facadeAt } from '../facade/facades.ts';
import type { Facade, Wire } from '../facade/wire.ts';
import { defaultLimits, type Limits, limitsByWireName, wireName } from '../limits.ts';
import { OverloadControl } from '../overload/overload-control.ts';
import type { Scoring, ServerContext } from '../session/context.ts';
import { Connection } from './connection.ts';
import { Dismissal } from './dismissal.ts';
import { type DrainReport, drainSessions } from './drain.ts';
import { Entrance } from './entrance.ts';
import { createHttpHandler } from './http.ts';
import { IdleSweep } from './idle-sweep.ts';
import { closeListener, createListener, listenHints, refuseUnread, socketOptions } from './listener.ts';
import { OverloadWatch } from './overload-watch.ts';
import { createRoom } from './places.ts';
import { Registry } from './registry.ts';
import { type CallerPolicy, callerOfUpgrade, hintsOf, identify, misdirected, pathOf, refusalIn } from './upgrade.ts';

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
  /** Where sessions are scored elsewhere; absent: this server bounds them alone. */
  slots?: SlotSource | undefined;
  /** Proxies of the operator's own that all callers come through; each names the one before. */
  trustedProxies?: number;
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

/** @throws SpeechfbError `unsafe_host`, `unsafe_faults`, `port_in_use`, `cannot_listen` ... */
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
  readonly #overload: OverloadControl;
  readonly #watch: OverloadWatch;
  readonly #accounts: Accounts;
  readonly #room: Room;
  readonly #entrance: Entrance;
  readonly #dismissal: Dismissal;
  readonly #work: WorkBudget;
  readonly #sweep: IdleSweep;
  readonly #lobby: Lobby;
  readonly #http: HttpServer;
  readonly #sockets: WebSocketServer;
  /** In the order in which they came. */
  readonly #connections = new Map<Connection, Account>();
  #engine: AcousticEngine | undefined;
  #ready: Promise<void> = Promise.resolve();
  #port = 0;
  #timers: NodeJS.Timeout[] = [];
  #isDraining = false;
  readonly #capacity = () => Math.min(this.#overload.sessionLimit, this.#options.slots?.places() ?? Infinity);

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#host = options.host ?? '127.0.0.1';
    checkExposure(this.#host, { tokens: options.tokens !== undefined, tls: options.tls !== undefined });
    checkFaults({
      faults: options.faultInjection === true,
      proxied: (options.trustedProxies ?? 0) > 0 || (options.hosts ?? []).length > 0,
      tokens: options.tokens !== undefined,
    });
    const loopback = isLoopback(this.#host);
    this.#policy = {
      tokens: options.tokens,
      origins: { allowed: options.origins ?? [], loopback },
      hosts: { allowed: options.hosts ?? [], loopback },
      trustedProxies: options.trustedProxies ?? 0,
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
      metrics: this.#metrics,
      sendAway: (session) => this.#dismissal.send(session),
      preferGroups: (wanted) => this.#engine?.preferGroups?.(wanted),
      others: () => [this.#engine?.stats().busy, options.scoring.stats?.().busy],
    });
    this.#work = new WorkBudget(this.#limits, this.#context.now);
    this.#sweep = new IdleSweep(() => {
      collectGarbage();
      this.#engine?.tidy?.();
      options.scoring.tidy?.();
    });
    this.#accounts = new Accounts({ limits: this.#limits, tokens: options.tokens?.size ?? 0, now: this.#context.now });
    this.#dismissal = new Dismissal({ context: this.#context, registry: this.#registry });
    this.#room = createRoom({
      context: this.#context,
      capacity: this.#capacity,
      unstarted: () => this.#unstarted(),
      registry: this.#registry,
      dismissal: this.#dismissal,
    });
    this.#entrance = this.#createEntrance();
    this.#lobby = new Lobby({
      limits: this.#limits,
      behindProxy: this.#policy.trustedProxies > 0,
      onEvicted: () => {
        const why = { reason: 'pending', limit: 'maxPendingConnections' } as const;
        this.#refused(why, 'a connection without a request had to go');
      },
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
      for (const connection of this.#connections.keys()) connection.heartbeat();
    };
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(beat, this.#limits.heartbeatMs)];
    log.info({ host: this.#host, port: this.#port, tls: tls !== undefined, tokens: tokens !== undefined }, 'listening');
  }

  stats(): ServerStats {
    return { sockets: this.#connections.size, sessions: this.#registry.size, ...this.#registry.countByState() };
  }

  async drain(): Promise<DrainReport> {
    this.#isDraining = true;
    for (const connection of this.#connections.keys()) connection.leave();
    const areClosed = (): boolean => this.#connections.size === 0;
    const report = await drainSessions(this.#registry.all(), this.#limits.drainMs, areClosed);
    await this.close();
    return report;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const connection of this.#connections.keys()) connection.terminate();
    for (const session of this.#registry.all()) session.abandon();
    await closeListener(this.#http);
  }

  #newMetrics(): Metrics {
    const { version, scoring } = this.#options;
    return new Metrics({
      version,
      sessions: () => this.#registry.countByState(),
      engine: () => this.#engineNumbers(),
      scoring: () => scoring.stats?.(),
      slots: () => this.#options.slots?.stats(),
      overload: () => this.#overload,
      limits: () => limitsByWireName(this.#limits),
    });
  }

  #engineNumbers(): ReturnType<MetricSources['engine']> {
    if (!this.#engine) return undefined;
    const { provider, lostDevice } = this.#engine;
    return { provider, lostDevice: lostDevice?.device, ...this.#engine.stats() };
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
      lostDevice: () => this.#engine?.lostDevice?.device,
      misdirected: (request) => misdirected(request, this.#policy),
      unknown: (request) => refusalIn(identify(request, this.#policy)),
      pageOf: ({ headers: { origin } }) =>
        origin !== undefined && this.#policy.origins.allowed.includes(origin) ? origin : undefined,
      injectFault: faultInjection ? (fault) => this.#injectFault(fault) : undefined,
    });
    http.on('connection', (socket) => this.#lobby.enter(socket));
    http.on('clientError', (error, socket) => {
      const refusal = refuseUnread(error, socket, this.#limits);
      if (refusal) this.#refused(refusal, 'a connection brought no request that can be read');
    });
    http.on('request', handler);
    http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    return http;
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const facade = facadeAt(pathOf(request));
    const caller = callerOfUpgrade(request, this.#policy);
    if ('status' in caller) {
      this.#refuse(socket, caller, facade);
      return;
    }
    const accounts = this.#accounts.of(caller);
    const full = this.#entrance.connection(accounts, hintsOf(request), facade === undefined);
    if (full) {
      this.#refuse(socket, full, facade);
      return;
    }
    this.#lobby.leave(request.socket);
    // ws sets TCP_NODELAY itself.
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      this.#metrics.socket(facade?.name ?? subprotocol);
      this.#connect(client, socket, { ...caller, accounts });
    });
  }

  #connect(
    socket: WebSocket,
    transport: Duplex,
    caller: { owner: string | undefined; accounts: CallerAccounts; wire: Wire | undefined },
  ): void {
    const free = this.#room.takeConnection(caller.accounts);
    const connection: Connection = new Connection({
      socket,
      transport,
      context: this.#context,
      registry: this.#registry,
      ...caller,
      work: this.#work.account(caller.accounts),
      admit: (start, phones) => this.#entrance.session(caller.accounts, start, phones),
      onClose: () => {
        free();
        this.#connections.delete(connection);
      },
    });
    this.#connections.set(connection, caller.accounts[0]);
  }

  #refuse(socket: Duplex, refusal: HttpRefusal, facade: Facade | undefined): void {
    refuseSocket(socket, refusal, facade?.words(refusal));
    this.#refused(refusal, 'an upgrade was refused');
  }

  #refused({ reason, limit }: Pick<HttpRefusal, 'reason' | 'limit'>, message: string): void {
    const name = limit && wireName(limit);
    this.#metrics.refusedRequest(reason);
    if (name !== undefined) this.#metrics.limit(name);
    this.#log.warn({ reason, limit: name }, message);
  }

  #createEntrance(): Entrance {
    return new Entrance({
      limits: this.#limits,
      registry: this.#registry,
      room: this.#room,
      work: this.#work,
      overload: this.#overload,
      returns: this.#dismissal.returns,
      capacity: this.#capacity,
      state: () => ({
        draining: this.#isDraining,
        engine: this.#engine?.stats(),
        scoring: this.#options.scoring.stats?.(),
      }),
      // A session that is over before the next tick leaves its garbage too.
      onStart: (sessions, nowMs) => this.#sweep.look(sessions, nowMs),
      now: this.#context.now,
    });
  }

  /** The connections that have no session, the oldest first: they may be given up for others. */
  *#unstarted(): Iterable<GivenUp> {
    for (const [connection, account] of this.#connections) {
      if (!connection.hasSession) yield { account, giveUp: () => connection.giveUp() };
    }
  }

  #notReady(): string | undefined {
    if (this.#isDraining) return 'draining';
    if (!this.#engine) return 'the model warms up';
    return stalled(this.#engine.stats(), this.#options.scoring.stats?.(), this.#limits);
  }

  #injectFault(fault: EngineFault): boolean {
    this.#engine?.injectFault?.(fault);
    return this.#engine?.injectFault !== undefined;
  }

  #tick(): void {
    const nowMs = this.#context.now();
    this.#watch.tick(nowMs, tickMs);
    for (const connection of this.#connections.keys()) connection.tick(nowMs);
    for (const session of this.#registry.all()) session.tick();
    this.#log.flush();
    this.#sweep.look(this.#registry.size, nowMs);
  }
}

/** Jitter waits, acknowledgements and timeouts are looked at this often. */
const tickMs = 20;

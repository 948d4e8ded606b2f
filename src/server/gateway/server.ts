import type { AcousticEngine, EngineFault } from '../../acoustic/engine/types.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { ThrottledLog } from '../../telemetry/throttled-log.ts';
import { collectGarbage } from '../../threads/memory.ts';
import { usableCores } from '../../usable-cores.ts';
import { Accounts } from '../admission/accounts.ts';
import { stalled } from '../admission/admission.ts';
import { noteHttpRefusal, type RefusedRequest, refuseSocket } from '../admission/http-refusal.ts';
import { Lobby } from '../admission/lobby.ts';
import type { TlsPair } from '../admission/pem.ts';
import type { Room } from '../admission/room.ts';
import { WorkBudget } from '../admission/work-budget.ts';
import { GatewayStore } from '../durable/gateway-store.ts';
import type { Router } from '../hearing/router.ts';
import { type Limits, limitsFrom } from '../limits.ts';
import { AwakeClock } from '../overload/awake-clock.ts';
import { IdleSweep } from '../overload/idle-sweep.ts';
import { OverloadControl } from '../overload/overload-control.ts';
import { RunningModels } from '../overload/running-models.ts';
import type { ServerContext } from '../session/context.ts';
import type { TenantRegistry } from '../tenants/tenant-registry.ts';
import { Dismissal } from './dismissal.ts';
import { answerArriving, type DrainReport, drainSessions } from './drain.ts';
import { Entrance } from './entrance.ts';
import type { FrontDoor } from './http/front-door.ts';
import type { CallerPolicy } from './http/upgrade.ts';
import { InnerDoor } from './outside/inner-door.ts';
import type { SupervisedGateway } from './outside/supervision.ts';
import { type GatewayView, type SessionView, selfOf, sessionViews, streamUrl } from './outside/view.ts';
import { OverloadWatch } from './overload-watch.ts';
import { createRoom } from './places.ts';
import { Reception } from './reception.ts';
import { Registry } from './registry.ts';
import { createContext } from './server-context.ts';
import { createFrontDoor } from './server-http.ts';
import { serverMetrics } from './server-metrics.ts';
import { policyOf, type RunningServer, type ServerOptions, type ServerStats } from './server-options.ts';
import { createRouter } from './server-routing.ts';
import { othersOf, supervisedGateway } from './supervised.ts';
import { Takeover } from './takeover.ts';
import { Tenancy } from './tenancy.ts';

export type { RunningServer, ServerOptions } from './server-options.ts';

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
  readonly #awake = new AwakeClock(() => performance.now());
  readonly #watch: OverloadWatch;
  readonly #accounts: Accounts;
  readonly #tenancy: Tenancy | undefined;
  readonly #room: Room;
  readonly #entrance: Entrance;
  readonly #dismissal: Dismissal;
  readonly #work: WorkBudget;
  readonly #sweep: IdleSweep;
  readonly #lobby: Lobby;
  readonly #door: FrontDoor;
  readonly #reception: Reception;
  readonly #durable: GatewayStore | undefined;
  readonly router: Router | undefined;
  #engine: AcousticEngine | undefined;
  #ready: Promise<void> = Promise.resolve();
  #port = 0;
  #timers: NodeJS.Timeout[] = [];
  #innerDoor: InnerDoor | undefined;
  #isDraining = false;
  #isCordoned = false;
  /** The own model, and those of a policy beside it. */
  readonly #models = new RunningModels({
    own: () => this.#engine && { engine: this.#engine, scoring: this.#options.scoring },
    elsewhere: () => this.#options,
    beside: () => this.router?.models ?? [],
    sessions: () => this.#room.sessionsTaken,
  });
  readonly #refused = (why: RefusedRequest, message: string) =>
    noteHttpRefusal({ metrics: this.#metrics, log: this.#log }, why, message);
  readonly #self = () => selfOf(this.#notReady(), this.#options.publicUrl, this.#context);
  readonly #capacity = () => Math.min(this.#overload.sessionLimit, this.#models.places());

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = options.limitsInForce ?? limitsFrom(options.limits);
    this.#host = options.host ?? '127.0.0.1';
    this.#policy = policyOf(options, this.#host);
    this.#log = new ThrottledLog(options.log, () => performance.now());
    this.#metrics = this.#newMetrics();
    this.#overload = new OverloadControl(this.#limits, options.cores ?? usableCores());
    const own = { ttlMs: this.#limits.resumeTtlMs, metrics: this.#metrics, self: () => this.#self() };
    this.#durable = options.store && new GatewayStore({ store: options.store, ...own });
    this.router = options.routing && this.#createRouter(options.routing);
    this.#context = this.#createContext();
    this.#registry = new Registry(this.#context);
    this.#watch = new OverloadWatch({
      control: this.#overload,
      registry: this.#registry,
      log: this.#log,
      metrics: this.#metrics,
      guaranteed: () => this.#dismissal.guaranteed,
      sendAway: (session) => this.#dismissal.send(session),
      preferGroups: (wanted) => this.#models.preferGroups(wanted),
      others: () => this.#models.busy(),
    });
    this.#work = new WorkBudget(this.#limits, this.#context.now);
    this.#sweep = new IdleSweep(() => {
      collectGarbage();
      this.#models.tidy();
    });
    this.#accounts = new Accounts({
      limits: this.#limits,
      tokens: (options.tokens?.size ?? 0) + (options.tenants?.tenants.length ?? 0),
      now: this.#context.now,
      tellsSpending: options.supervision !== undefined,
    });
    this.#tenancy = options.tenants && this.#newTenancy(options.tenants);
    this.#dismissal = new Dismissal({ context: this.#context, registry: this.#registry, capacity: this.#capacity });
    this.#room = createRoom({
      context: this.#context,
      // No gateway of several knows how much of the whole a caller has: the supervisor does.
      placeShare: options.supervision ? 1 : this.#limits.placeShare,
      capacity: this.#capacity,
      unstarted: () => this.#reception.unstarted(),
      registry: this.#registry,
      dismissal: this.#dismissal,
    });
    this.#entrance = this.#createEntrance();
    this.#lobby = new Lobby({
      limits: this.#limits,
      behindProxy: this.#policy.trustedProxies > 0,
      now: this.#context.now,
      onRefused: (why, message) => this.#refused(why, message),
    });
    this.#door = this.#createDoor();
    this.#reception = this.#createReception();
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return streamUrl(this.#host, this.#port, this.#options.tls !== undefined);
  }

  renewTls(tls: TlsPair): void {
    this.#door.renewTls(tls);
  }

  async heardTodayMs(tenant: string, user?: string): Promise<number> {
    return (await this.#tenancy?.heardTodayMs(tenant, user)) ?? 0;
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Takes connections from here on, and the model as soon as it is loaded. */
  async listen(): Promise<void> {
    const { engine, log, tls, tokens, tenants, supervision, quicPort } = this.#options;
    if (supervision) await this.#listenInside();
    else this.#port = await this.#door.listen();
    this.#ready = Promise.resolve(engine).then((loaded) => {
      this.#engine = loaded;
    });
    this.#ready.catch(() => {});
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(() => this.#tenancy?.look(), meterMs)];
    const guards = { tls: tls !== undefined, tokens: tokens !== undefined, tenants: tenants?.tenants.length };
    const quic = quicPort === undefined ? {} : { quic: quicPort === 0 ? this.#port : quicPort };
    if (supervision) supervision.attach(this.#supervised());
    else log.info({ host: this.#host, port: this.#port, ...quic, ...guards }, 'listening');
  }

  stats(): ServerStats {
    return { sockets: this.#reception.size, sessions: this.#registry.size, ...this.#registry.countByState() };
  }

  view(): GatewayView {
    return {
      notReady: this.#notReady(),
      sockets: this.#reception.size,
      sessions: this.#registry.countByState(),
      lanes: this.#registry.countByLane(),
      sessionLimit: this.#capacity(),
      ...this.#overload.numbers(this.#context.now(), this.#registry.size),
      slots: this.#models.slots(),
      nodes: this.#models.nodes(),
      routing: this.router?.view(),
    };
  }

  sessions(): readonly SessionView[] {
    return sessionViews(this.#registry.all(), this.#context.now(), this.#models);
  }

  cordon(isCordoned: boolean): void {
    this.#isCordoned = isCordoned;
  }

  async drain(): Promise<DrainReport> {
    this.#isDraining = true;
    for (const connection of this.#reception.connections()) connection.leave();
    const moveTo = await this.#durable?.leave();
    const areClosed = (): boolean => this.#reception.size === 0;
    const report = await drainSessions(this.#registry.all(), this.#limits.drainMs, areClosed, moveTo);
    await answerArriving(this.#door.http, this.#lobby);
    await this.close();
    return report;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const connection of this.#reception.connections()) connection.terminate();
    for (const session of this.#registry.all()) session.leave();
    await Promise.all([this.#door.close(), this.#innerDoor?.close()]);
  }

  /** Listens for nobody but the other gateways: the supervisor hands over what it has accepted. */
  async #listenInside(): Promise<void> {
    this.#innerDoor = new InnerDoor(this.#limits, (passed) => this.#reception.passedOn(passed));
    await this.#innerDoor.listen();
    await this.#door.listenInside();
  }

  #supervised(): SupervisedGateway {
    return supervisedGateway({
      http: this.#door.http,
      door: this.#innerDoor!,
      accounts: this.#accounts,
      metrics: this.#metrics,
      overload: this.#overload,
      lobby: this.#lobby,
      tenancy: this.#tenancy,
      candidates: { connection: () => this.#reception.unstarted(), session: () => this.#registry.detached() },
      dismissal: this.#dismissal,
      stats: () => this.stats(),
      capacity: this.#capacity,
      notReady: () => this.#notReady(),
      injectFault: (fault) => this.#injectFault(fault),
      view: () => this.view(),
      sessions: () => this.sessions(),
      cordon: (isCordoned) => this.cordon(isCordoned),
    });
  }

  #newTenancy(tenants: TenantRegistry): Tenancy {
    const { caps, supervision } = this.#options;
    const isSupervised = supervision !== undefined;
    return new Tenancy({ tenants, registry: this.#registry, context: this.#context, caps, isSupervised });
  }

  #createRouter(routing: NonNullable<ServerOptions['routing']>): Router {
    return createRouter(routing, {
      limits: this.#limits,
      log: this.#log,
      metrics: this.#metrics,
      sessions: () => this.#room.sessionsTaken,
      capacity: this.#capacity,
      level: () => this.#overload.level,
      models: this.#models,
      slots: this.#options.slots,
    });
  }

  #newMetrics(): Metrics {
    return serverMetrics({
      options: this.#options,
      limits: this.#limits,
      registry: () => this.#registry,
      engine: () => this.#engine,
      models: this.#models,
      overload: () => this.#overload,
      tenants: () => this.#tenancy?.numbers() ?? new Map(),
      tlsEndsMs: () => this.#door.tlsEndsMs,
    });
  }

  #createContext(): ServerContext {
    return createContext({
      options: this.#options,
      limits: this.#limits,
      metrics: this.#metrics,
      log: this.#log,
      overload: this.#overload,
      durable: this.#durable,
      router: this.router,
      awake: this.#awake,
      engine: () => this.#engine,
    });
  }

  #createDoor(): FrontDoor {
    return createFrontDoor({
      options: this.#options,
      host: this.#host,
      limits: this.#limits,
      policy: this.#policy,
      metrics: this.#metrics,
      log: this.#log,
      lobby: this.#lobby,
      engine: () => this.#engine,
      notReady: () => this.#notReady(),
      session: (id) => this.#registry.get(id),
      injectFault: (fault) => this.#injectFaultEverywhere(fault),
      onRefused: this.#refused,
      onUpgrade: (request, socket, head) => this.#reception.upgrade(request, socket, head),
    });
  }

  #createReception(): Reception {
    return new Reception({
      context: this.#context,
      policy: this.#policy,
      accounts: this.#accounts,
      registry: this.#registry,
      room: this.#room,
      entrance: this.#entrance,
      work: this.#work,
      supervision: this.#options.supervision,
      takeover:
        this.#durable && new Takeover({ context: this.#context, registry: this.#registry, durable: this.#durable }),
      tenancy: this.#tenancy,
      onRefused: (socket, refusal, facade, tenant) => {
        refuseSocket(socket, refusal, facade?.words(refusal));
        this.#refused({ ...refusal, tenant }, 'an upgrade was refused');
      },
      onOpened: (request) => this.#lobby.leave(request.socket),
    });
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
        draining: this.#isDraining || this.#isCordoned,
        engine: this.#engine?.stats(),
        scoring: this.#options.scoring.stats?.(),
      }),
      others: othersOf(this.#options.supervision),
      takesOver: this.#options.store !== undefined,
      // A session that is over before the next tick leaves its garbage too.
      onStart: (sessions, nowMs) => this.#sweep.look(sessions, nowMs),
      now: this.#context.now,
    });
  }

  #notReady(): string | undefined {
    if (this.#isDraining || this.#isCordoned) return 'draining';
    if (!this.#engine) return 'the model warms up';
    return stalled(this.#engine.stats(), this.#options.scoring.stats?.(), this.#limits);
  }

  #injectFault(fault: EngineFault): boolean {
    this.#engine?.injectFault?.(fault);
    return this.#engine?.injectFault !== undefined;
  }

  #injectFaultEverywhere(fault: EngineFault): boolean {
    this.#options.supervision?.injectFault(fault);
    return this.#injectFault(fault);
  }

  #tick(): void {
    const nowMs = this.#context.now();
    this.#watch.tick(nowMs, tickMs);
    this.#awake.tick();
    this.#reception.tick(this.#awake.ms);
    for (const session of this.#registry.each()) session.tick(nowMs);
    this.#durable?.tick(nowMs);
    this.#log.flush();
    this.#sweep.look(this.#registry.size, nowMs);
  }
}

/** Jitter waits, acknowledgements and timeouts are looked at this often. */
const tickMs = 20;
/** How often what tenants have used is counted. */
const meterMs = 1000;

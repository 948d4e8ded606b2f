import { setTimeout as wait } from 'node:timers/promises';
import { exitCodes, SpeechfbError } from '../../errors.ts';
import { streamPath } from '../../protocol/address.ts';
import type { CapStore } from '../../stores/cap-store.ts';
import { type Log, stackOf } from '../../telemetry/log.ts';
import { MergedMetrics } from '../../telemetry/merged-metrics.ts';
import { defer } from '../../threads/defer.ts';
import { fromPlainError } from '../../threads/plain-error.ts';
import type { DrainReport } from '../gateway/drain.ts';
import type { GatewayView, SessionView } from '../gateway/outside/view.ts';
import { type Limits, limitsByWireName } from '../limits.ts';
import { createQuota } from '../tenants/create-quota.ts';
import { Desk } from './desk.ts';
import { Dispatcher } from './dispatcher.ts';
import type { ToSupervisor, Warm } from './messages.ts';
import { Restarts } from './restarts.ts';
import { limitsOfOne } from './shares.ts';
import { type GatewayProcess, Slot } from './slot.ts';

export type SupervisorOptions = {
  /** How many gateways, 2 and more. */
  gateways: number;
  /** Starts the process of one, which is told to begin and ends with this one. */
  launch(gateway: number, at: { quicPort: number | undefined }): GatewayProcess;
  limits: Limits;
  /** How many tokens the server knows; 0: none. */
  tokens: number;
  host: string;
  /** 0: any free one. */
  port: number;
  /** UDP, where one of the gateways speaks QUIC; 0: the number that `port` has. */
  quicPort?: number | undefined;
  isSecure: boolean;
  log: Log;
  /** Where the caps of tenants are counted for several servers; absent: this one counts alone. */
  caps?: CapStore | undefined;
};

/**
 * Keeps several gateways behind one port: accepts connections and hands each to the gateway with
 * most room, gives out the places of the whole server, starts again what dies, and adds up metrics.
 * It reads nothing of a connection and does no other work, so that it is never late.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #dispatcher: Dispatcher;
  readonly #desk: Desk;
  readonly #metrics: MergedMetrics;
  readonly #slots = new Map<number, Slot>();
  readonly #restarts: readonly Restarts[];
  readonly #ready = defer<Warm>();
  readonly #failed = defer<never>();
  #port = 0;
  #tickedMs = performance.now();
  #timers: NodeJS.Timeout[] = [];
  #exposed: { atMs: number; answer: Promise<{ body: string; contentType: string }> } | undefined;
  #isDraining = false;
  #isCordoned = false;

  constructor(options: SupervisorOptions) {
    const { caps, gateways, limits, log, tokens } = options;
    this.#options = options;
    this.#dispatcher = new Dispatcher({
      limits,
      acceptsATurn: limitsOfOne(limits, gateways).acceptsATurn,
      slots: () => this.#slots.values(),
      now: () => performance.now(),
    });
    this.#restarts = Array.from({ length: gateways }, () => new Restarts());
    this.#desk = new Desk({
      limits,
      tokens,
      quota: createQuota({
        store: caps,
        log,
        busyRetryMs: limits.busyRetryMs,
        onTrouble: (why) => this.#metrics.storeFailed(why),
      }),
      capacity: () => this.#sessionLimit(),
      hasDetached: () => [...this.#slots.values()].some(({ detached }) => detached > 0),
      giveUp: async (gateway, asked) => await this.#slots.get(gateway)?.giveUp(asked),
      now: () => performance.now(),
    });
    this.#metrics = new MergedMetrics({
      gateways: () => Array.from({ length: gateways }, (_, at) => this.#numbersOf(at + 1)),
      sessionLimit: () => this.#sessionLimit(),
      limits: () => limitsByWireName(limits),
    });
    this.#failed.promise.catch(() => {});
  }

  get url(): string {
    const { host, isSecure } = this.#options;
    const name = host.includes(':') ? `[${host}]` : host;
    return `${isSecure ? 'wss' : 'ws'}://${name}:${this.#port}${streamPath}`;
  }

  /** Resolves to what they run when every gateway's model is warm. */
  get ready(): Promise<Warm> {
    return Promise.race([this.#ready.promise, this.failed]);
  }

  /** Rejects when the server cannot go on: no gateway can be started, or none any more. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Takes connections from here on, and starts the gateways.
   * @throws SpeechfbError `port_in_use`, `cannot_listen`
   */
  async listen(): Promise<void> {
    const { gateways, host, port, log } = this.#options;
    this.#port = await this.#dispatcher.listen({ host, port });
    const quic = this.#quicPort();
    log.info({ host, port: this.#port, ...(quic !== undefined && { quic }), gateways }, 'listening');
    for (let gateway = 1; gateway <= gateways; gateway++) this.#launch(gateway);
    this.#timers = [setInterval(() => this.#tick(), tickMs), setInterval(() => this.#desk.look(), lookMs)];
  }

  /** Why the server as a whole takes no new session; undefined: it does. */
  get notReady(): string | undefined {
    return this.#notReady();
  }

  /** Sessions that the gateways said they have. */
  get sessionCount(): number {
    let sum = 0;
    for (const { sessions } of this.#slots.values()) sum += sessions;
    return sum;
  }

  /** Sessions that all gateways together carry now. */
  get sessionLimit(): number {
    return this.#sessionLimit();
  }

  /** Each gateway by its number; undefined: it does not answer. */
  async views(): Promise<ReadonlyMap<number, GatewayView | undefined>> {
    const numbers = Array.from({ length: this.#options.gateways }, (_, at) => at + 1);
    const views = numbers.map(async (number) => [number, await this.#slots.get(number)?.view()] as const);
    return new Map(await Promise.all(views));
  }

  /** The sessions of every gateway that answers, by its number. */
  async sessions(): Promise<ReadonlyMap<number, readonly SessionView[]>> {
    const slots = [...this.#slots.values()];
    return new Map(await Promise.all(slots.map(async (slot) => [slot.number, await slot.sessionViews()] as const)));
  }

  /** The sound that was heard today of a tenant, ms. */
  heardTodayMs(tenant: string): Promise<number> {
    return this.#desk.heardTodayMs(tenant);
  }

  /** Lets nobody new in, or does again; who is inside stays, and may come back. */
  cordon(isCordoned: boolean): void {
    this.#isCordoned = isCordoned;
    for (const slot of this.#slots.values()) slot.send({ type: 'cordon', isCordoned });
  }

  /**
   * Lets every gateway drain, all at once; connections are still taken, since clients come back for
   * their finals, until the last has ended.
   */
  async drain(): Promise<DrainReport> {
    this.#isDraining = true;
    for (const slot of this.#slots.values()) slot.send({ type: 'drain' });
    const endMs = performance.now() + this.#options.limits.drainMs + graceMs;
    const slots = [...this.#slots.values()];
    while (this.#slots.size > 0 && performance.now() < endMs) await wait(pollMs);
    await this.close();
    const sum = (what: keyof DrainReport): number =>
      slots.reduce((total, slot) => total + (slot.drained?.[what] ?? 0), 0);
    return { sessions: sum('sessions'), finished: sum('finished') };
  }

  /** Lets every gateway look at its files, which may have changed. */
  reload(): void {
    for (const slot of this.#slots.values()) slot.send({ type: 'reload' });
  }

  /** Has every gateway take up this text of the tenants' file. */
  takeTenants(text: string): void {
    for (const slot of this.#slots.values()) slot.send({ type: 'tenants', text });
  }

  /** Has every gateway obey limits that are different. */
  takeLimits(changed: Partial<Limits>): void {
    for (const slot of this.#slots.values()) slot.send({ type: 'limits', changed });
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    this.#isDraining = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#dispatcher.close();
    for (const slot of this.#slots.values()) slot.kill();
    while (this.#slots.size > 0) await wait(pollMs);
    this.#dispatcher.release();
  }

  #quicPort(): number | undefined {
    const { quicPort } = this.#options;
    return quicPort === 0 ? this.#port : quicPort;
  }

  #launch(gateway: number): void {
    const { launch, log } = this.#options;
    const nowMs = performance.now();
    this.#restarts[gateway - 1]!.started(nowMs);
    const process = launch(gateway, { quicPort: this.#quicPort() });
    const slot = new Slot(gateway, process, nowMs);
    this.#slots.set(gateway, slot);
    process.listen((message) => this.#heard(slot, message));
    void process.exited.then((why) => {
      const left = slot.end();
      this.#slots.delete(gateway);
      this.#desk.gone(gateway);
      this.#metrics.retire(gateway);
      for (const socket of left) this.#dispatcher.take(socket);
      this.#dispatcher.look();
      this.#tellOthers();
      if (this.#isDraining) return;
      log.error({ gateway, why }, 'a gateway died');
      this.#relaunch(gateway);
    });
  }

  #relaunch(gateway: number): void {
    const delayMs = this.#restarts[gateway - 1]!.died(performance.now());
    if (delayMs !== undefined) {
      setTimeout(() => {
        if (this.#isDraining) return;
        this.#metrics.restarted(gateway);
        this.#launch(gateway);
      }, delayMs);
      return;
    }
    this.#options.log.error({ gateway }, 'a gateway died too often and is not started again');
    if (this.#slots.size === 0) {
      const hint = 'the log says why; speechfb serve --gateways 1 shows the error of one';
      const message = 'no gateway is left: each died too often';
      this.#failed.reject(new SpeechfbError('gateway_died', message, { exitCode: exitCodes.bug, hint }));
    }
  }

  #heard(slot: Slot, message: ToSupervisor): void {
    const wasUp = slot.isUp;
    const hadDetached = slot.detached > 0;
    slot.heard(message, performance.now());
    switch (message.type) {
      case 'listening':
        // One that died meanwhile is started anew, and knows nothing of it.
        if (this.#isCordoned) slot.send({ type: 'cordon', isCordoned: true });
        break;
      case 'state':
        this.#checkReady();
        break;
      case 'failed':
        this.#failed.reject(fromPlainError(message.error));
        break;
      case 'free':
        this.#desk.free(message.place);
        break;
      case 'used':
        this.#desk.used(message.used);
        break;
      case 'fault':
      case 'spent':
        for (const other of this.#slots.values()) if (other !== slot) other.send(message);
        break;
      case 'question':
        void this.#respond(slot, message);
        break;
    }
    if (wasUp !== slot.isUp || hadDetached !== slot.detached > 0) this.#tellOthers();
    if (message.type === 'state') this.#dispatcher.look();
  }

  /**
   * A gateway that hears no answer goes on without one after a while; it may have died meanwhile.
   */
  async #respond(slot: Slot, question: Extract<ToSupervisor, { type: 'question' }>): Promise<void> {
    try {
      slot.send({ type: 'answer', id: question.id, answer: await this.#answer(slot, question) });
    } catch (error) {
      const fields = { gateway: slot.number, question: question.name, error: stackOf(error) };
      this.#options.log.error(fields, 'a gateway got no answer');
    }
  }

  async #answer(slot: Slot, question: Extract<ToSupervisor, { type: 'question' }>): Promise<object> {
    switch (question.name) {
      case 'connection':
        return await this.#desk.connection(slot.number, question.ask.caller, question.ask.claims);
      case 'session':
        return await this.#desk.session(slot.number, question.ask.caller, question.ask.start);
      case 'readiness':
        return { notReady: this.#notReady() };
      case 'exposition':
        return await this.#expose();
    }
  }

  /** The server is ready while one gateway is: connections go there. */
  #notReady(): string | undefined {
    if (this.#isDraining) return 'draining';
    const slots = [...this.#slots.values()];
    if (slots.some(({ isReady }) => isReady)) return undefined;
    return slots.find(({ isUp }) => isUp)?.notReady ?? 'no gateway is up';
  }

  /** Made anew ten times a second at most, as that of one process is. */
  #expose(): Promise<{ body: string; contentType: string }> {
    const nowMs = performance.now();
    if (!this.#exposed || nowMs - this.#exposed.atMs > exposedMs) {
      this.#exposed = { atMs: nowMs, answer: this.#gather() };
    }
    return this.#exposed.answer;
  }

  async #gather(): Promise<{ body: string; contentType: string }> {
    await Promise.all(
      [...this.#slots.values()].map(async (slot) => {
        const answer = await slot.metrics();
        // What a gateway said before that is silent now still counts.
        if (answer && this.#slots.get(slot.number) === slot) this.#metrics.update(slot.number, answer.document);
      }),
    );
    return await this.#metrics.expose();
  }

  #checkReady(): void {
    const slots = [...this.#slots.values()];
    const [first] = slots;
    const areReady = slots.length === this.#options.gateways && slots.every(({ isReady }) => isReady);
    if (areReady && first?.warm) this.#ready.resolve(first.warm);
  }

  #sessionLimit(): number {
    let sum = 0;
    for (const { sessionLimit } of this.#slots.values()) sum += sessionLimit;
    return Math.min(sum, this.#options.limits.maxSessions);
  }

  #numbersOf(gateway: number) {
    const slot = this.#slots.get(gateway);
    const { sessions = 0, sessionLimit = 0, level = 0 } = slot ?? {};
    return { gateway, isReady: slot?.isReady ?? false, sessions, sessionLimit, level };
  }

  /** Tells every gateway where the others are, and whether anybody may come back to one. */
  #tellOthers(): void {
    const slots = [...this.#slots.values()];
    const doors = new Map(slots.flatMap(({ number, door }) => (door ? [[number, door] as const] : [])));
    for (const slot of slots) {
      const detached = slots.some((other) => other !== slot && other.detached > 0);
      slot.send({ type: 'others', doors, detached });
    }
  }

  #tick(): void {
    const { silentGatewayMs, hungGatewayMs } = this.#options.limits;
    const nowMs = performance.now();
    const lateMs = nowMs - this.#tickedMs - tickMs;
    this.#tickedMs = nowMs;
    for (const slot of this.#slots.values()) {
      if (lateMs > tickMs) slot.forgive(lateMs);
      const silentMs = slot.silentForMs(nowMs);
      if (slot.isUp && silentMs > silentGatewayMs) this.#sayNothingTo(slot);
      // Until it listens it loads its program, which takes as long as it takes.
      if (slot.door !== undefined && silentMs > hungGatewayMs) slot.kill();
    }
    this.#dispatcher.look();
  }

  #sayNothingTo(slot: Slot): void {
    this.#options.log.warn({ gateway: slot.number }, 'a gateway is silent and is handed no connections');
    for (const socket of slot.fallSilent()) this.#dispatcher.take(socket);
    this.#tellOthers();
  }
}

const tickMs = 50;
/** How often the caps of tenants are looked after. */
const lookMs = 1000;
const pollMs = 10;
const exposedMs = 100;
/** A gateway gets this much beyond the deadline of a drain, and its end takes a moment. */
const graceMs = 2000;

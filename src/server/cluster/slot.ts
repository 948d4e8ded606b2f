import type { Socket } from 'node:net';
import type { DrainReport } from '../gateway/drain.ts';
import type { Descriptor } from '../gateway/http/descriptors.ts';
import type { AskedFor, Door, GatewayState, WhenFree } from '../gateway/outside/supervision.ts';
import type { GatewayView, SessionView } from '../gateway/outside/view.ts';
import { Asking } from './asking.ts';
import type { SelfServing } from './balance.ts';
import type { GatesState } from './gates.ts';
import type { SupervisorQuestions, ToGateway, ToSupervisor, Warm } from './messages.ts';

/** A gateway's process, as the supervisor's side has it. */
export type GatewayProcess = {
  send(message: ToGateway, handle?: Socket | Descriptor): void;
  listen(on: (message: ToSupervisor) => void): void;
  /** Resolves when it has ended, to what ended it. */
  exited: Promise<string>;
  kill(): void;
};

/**
 * One of the gateways: the process that has this number now, how it is, and the connections that it
 * is handed. They go one by one, each when it has taken the one before: what waits for a process
 * that stands still can still go to another.
 */
export class Slot implements SelfServing {
  readonly number: number;
  readonly #process: GatewayProcess;
  readonly #asking: Asking<SupervisorQuestions>;
  readonly #waiting: Socket[] = [];
  #handed: Socket | 'gate' | undefined;
  #handedMs = 0;
  #gates: GatesState = { gates: 0, left: 0 };
  /** Descriptors of the port that it is to have, and what is sent. */
  #wanted: { gates: number; descriptor: Descriptor } | undefined;
  #turnMs = 0;
  /** Connections that it has taken since it last told how many it has. */
  #taken = 0;
  #heardMs: number;
  #isSilent = false;
  #door: Door | undefined;
  #warm: Warm | undefined;
  #state: GatewayState | undefined;
  #drained: DrainReport | undefined;

  constructor(number: number, process: GatewayProcess, nowMs: number) {
    this.number = number;
    this.#process = process;
    this.#asking = new Asking((question) => process.send(question));
    this.#heardMs = nowMs;
  }

  get isUp(): boolean {
    return this.#state !== undefined && !this.#isSilent;
  }

  get isReady(): boolean {
    return this.isUp && this.#warm !== undefined && this.notReady === undefined;
  }

  get hasDrained(): boolean {
    return this.#drained !== undefined;
  }

  get notReady(): string | undefined {
    if (!this.#state) return 'a gateway starts';
    if (this.#waitsForTurn(performance.now(), promptMs)) return 'a gateway takes no connections';
    return this.#state.notReady;
  }

  get connections(): number {
    const handed = this.#handed && this.#handed !== 'gate' ? 1 : 0;
    return (this.#state?.connections ?? 0) + this.#taken + this.#waiting.length + handed;
  }

  get sessions(): number {
    return this.#state?.sessions ?? 0;
  }

  get detached(): number {
    return this.#state?.detached ?? 0;
  }

  get sessionLimit(): number {
    return this.#state?.sessionLimit ?? 0;
  }

  get level(): number {
    return this.#state?.level ?? 0;
  }

  /** By what it takes connections itself. */
  get gates(): GatesState {
    return this.#gates;
  }

  get door(): Door | undefined {
    return this.#door;
  }

  get warm(): Warm | undefined {
    return this.#warm;
  }

  get drained(): DrainReport | undefined {
    return this.#drained;
  }

  send(message: ToGateway): void {
    this.#process.send(message);
  }

  /** Hands a connection over, of which nothing was read. */
  hand(socket: Socket): void {
    this.#waiting.push(socket);
    this.#handNext();
  }

  /** It is to have so many descriptors of the port; what it lacks is sent, one a turn. */
  wantGates(gates: number, descriptor: Descriptor): void {
    this.#wanted = { gates, descriptor };
    this.#handNext();
  }

  /** Lets it take so many connections by itself from here on; it is told where that is news. */
  admit(most: number): void {
    const { gates, left } = this.#gates;
    if (gates === 0 || (left >= most / 2 && left <= most * 2)) return;
    this.#gates = { gates, left: most };
    this.send({ type: 'admit', most });
  }

  /** Whether its turns are long: it has said so, or others wait for one that it has not taken. */
  isSlow(nowMs: number): boolean {
    return this.#turnMs >= slowTurnMs || (this.#waiting.length > 0 && this.#waitsForTurn(nowMs, slowTurnMs));
  }

  /** Takes note of what the gateway says of itself; whatever it says, it lives. */
  heard(message: ToSupervisor, nowMs: number): void {
    this.#heardMs = nowMs;
    this.#isSilent = false;
    switch (message.type) {
      case 'listening':
        this.#door = message.door;
        break;
      case 'warm':
        this.#warm = message.model;
        break;
      case 'state':
        this.#state = message.state;
        this.#gates = message.gates;
        this.#turnMs = message.turnMs;
        this.#taken = 0;
        this.#handNext();
        break;
      case 'drained':
        this.#drained = message.report;
        break;
      case 'took':
        this.#took();
        this.#handNext();
        break;
      case 'answer':
        this.#asking.heard(message);
        break;
    }
  }

  /** For how long nothing was heard, ms. */
  silentForMs(nowMs: number): number {
    return nowMs - this.#heardMs;
  }

  /** The supervisor itself stood still for a while: what others said then is heard only now. */
  forgive(ms: number): void {
    this.#heardMs += ms;
  }

  /** It is handed nothing more until it is heard again; gives what it was not handed yet. */
  fallSilent(): Socket[] {
    this.#isSilent = true;
    return this.#waiting.splice(0);
  }

  kill(): void {
    this.#process.kill();
  }

  /** Its process has ended: gives the connections that it has not taken. */
  end(): Socket[] {
    this.#asking.end();
    this.#state = undefined;
    const left = this.#handed && this.#handed !== 'gate' ? [this.#handed, ...this.#waiting] : [...this.#waiting];
    this.#handed = undefined;
    this.#waiting.length = 0;
    return left;
  }

  async giveUp(asked: AskedFor): Promise<WhenFree | undefined> {
    return this.isUp ? (await this.#asking.ask('give_up', asked, answerMs))?.free : undefined;
  }

  async metrics(): Promise<SupervisorQuestions['metrics']['answer'] | undefined> {
    return this.isUp ? await this.#asking.ask('metrics', {}, answerMs) : undefined;
  }

  /** Undefined where it does not answer. */
  async view(): Promise<GatewayView | undefined> {
    return this.isUp ? (await this.#asking.ask('view', {}, answerMs))?.view : undefined;
  }

  async sessionViews(): Promise<readonly SessionView[]> {
    return this.isUp ? ((await this.#asking.ask('sessions', {}, answerMs))?.sessions ?? []) : [];
  }

  #took(): void {
    if (this.#handed === 'gate') {
      this.#gates = { ...this.#gates, gates: this.#gates.gates + 1 };
    } else if (this.#handed) {
      // The connection is that process's alone from here on.
      this.#taken += 1;
      this.#handed.destroy();
    }
    this.#handed = undefined;
  }

  #handNext(): void {
    if (this.#handed) return;
    const socket = this.#waiting.shift();
    if (!socket) {
      this.#handGate();
      return;
    }
    this.#handed = socket;
    this.#handedMs = performance.now();
    this.#process.send({ type: 'socket' }, socket);
  }

  #handGate(): void {
    if (!this.#wanted || !this.#door || this.#gates.gates >= this.#wanted.gates) return;
    this.#handed = 'gate';
    this.#process.send({ type: 'gate' }, this.#wanted.descriptor);
  }

  /** Whether a connection was not taken for longer than this. */
  #waitsForTurn(nowMs: number, ms: number): boolean {
    return this.#handed !== undefined && this.#handed !== 'gate' && nowMs - this.#handedMs > ms;
  }
}

/** A connection that was not taken for so long waits for a process that stands still, or nearly. */
const promptMs = 100;
/** An idle gateway's turns, as it tells them, are of 20 ms: so often it looks. */
const slowTurnMs = 28;
/** A gateway that lives answers within milliseconds; whoever asks for metrics waits this long. */
const answerMs = 500;

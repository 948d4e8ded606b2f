import type { Socket } from 'node:net';
import type { EngineFault } from '../../acoustic/engine/types.ts';
import type { Caller } from '../admission/accounts.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { DrainReport } from '../gateway/drain.ts';
import type { Descriptor } from '../gateway/http/descriptors.ts';
import type {
  BegunElsewhere,
  Door,
  GatewayState,
  SharedClaims,
  SharedPlace,
  SharedStart,
  SupervisedGateway,
  Supervision,
} from '../gateway/outside/supervision.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { Asking } from './asking.ts';
import { Gates } from './gates.ts';
import type { GatewayQuestions, Granted, SupervisorQuestions, ToGateway, ToSupervisor } from './messages.ts';

/** The way to a supervisor: what is sent arrives in order, or the process ends. */
export type GatewayChannel = {
  send(message: ToSupervisor): void;
  listen(on: (message: ToGateway, handle: Socket | Descriptor | undefined) => void): void;
};

export type LinkOptions = {
  gateway: number;
  channel: GatewayChannel;
  /** The supervisor wants the gateway to drain; its report is sent when that is done. */
  onDrain(): Promise<DrainReport>;
  /** What the supervisor asked for could not be done, or it is not there to hear of it. */
  onTrouble(error: unknown): void;
  /** The gateway is to look at its files, which may have changed. */
  onReload?(): void;
  /** The supervisor has taken up this text of the tenants' file. */
  onTenants?(text: string): void;
  /** Limits of the whole server are different. */
  onLimits?(changed: Partial<Limits>): void;
};

/** A gateway's side of what it has with its supervisor. */
export class SupervisorLink implements Supervision {
  readonly gateway: number;
  readonly #options: LinkOptions;
  readonly #asking: Asking<GatewayQuestions>;
  #attached: SupervisedGateway | undefined;
  #doors: ReadonlyMap<number, Door> = new Map();
  #othersDetached = false;
  #beat: NodeJS.Timeout | undefined;
  #toldMs = 0;
  readonly #gates = new Gates((socket) => this.#take(socket));
  #toldTaken = 0;
  /** How often it looked since it told. */
  #looks = 0;
  #told: Pick<GatewayState, 'detached' | 'notReady'> = { detached: 0, notReady: undefined };

  constructor(options: LinkOptions) {
    const { channel, gateway } = options;
    this.gateway = gateway;
    this.#options = options;
    this.#asking = new Asking((question) => channel.send(question));
    channel.listen((message, handle) => this.#heard(message, handle));
  }

  attach(gateway: SupervisedGateway): void {
    this.#attached = gateway;
    this.#send({ type: 'listening', door: { port: gateway.doorPort, secret: gateway.doorSecret } });
    this.#beat = setInterval(() => this.#look(gateway), lookMs);
    this.#tell(gateway, gateway.state());
  }

  /** Tells nothing any more, so that its process may end. */
  close(): void {
    clearInterval(this.#beat);
    this.#gates.close();
    this.#asking.end();
  }

  async connection(caller: Caller, claims: SharedClaims): Promise<HttpRefusal | SharedPlace> {
    const answer = (await this.#asking.ask('connection', { caller, claims })) ?? unansweredUpgrade;
    return 'place' in answer ? this.#placeOf(answer) : answer;
  }

  async session(caller: Caller, start: SharedStart): Promise<Refusal | SharedPlace | BegunElsewhere> {
    const answer = (await this.#asking.ask('session', { caller, start })) ?? unanswered;
    return 'place' in answer ? this.#placeOf(answer) : answer;
  }

  doorOf(gateway: number): Door | undefined {
    return gateway === this.gateway ? undefined : this.#doors.get(gateway);
  }

  othersDetached(): boolean {
    return this.#othersDetached;
  }

  async metrics(): Promise<{ body: string; contentType: string }> {
    const answer = await this.#asking.ask('exposition', {});
    if (!answer) throw new Error('the supervisor does not answer');
    return answer;
  }

  async notReady(): Promise<string | undefined> {
    const answer = await this.#asking.ask('readiness', {});
    return answer ? answer.notReady : 'the supervisor does not answer';
  }

  injectFault(fault: EngineFault): void {
    this.#send({ type: 'fault', fault });
  }

  #send(message: ToSupervisor): void {
    this.#options.channel.send(message);
  }

  #placeOf({ place }: Granted): SharedPlace {
    let isHeld = true;
    return {
      free: () => {
        if (isHeld) this.#send({ type: 'free', place });
        isHeld = false;
      },
    };
  }

  #look(gateway: SupervisedGateway): void {
    const nowMs = performance.now();
    // Whoever comes back to a session must not be refused elsewhere: that is told sooner.
    const state = gateway.state();
    const isNews = state.detached > 0 !== this.#told.detached > 0 || state.notReady !== this.#told.notReady;
    const hasTaken = this.#gates.taken !== this.#toldTaken;
    this.#looks += 1;
    if (isNews || hasTaken || nowMs - this.#toldMs >= beatMs) this.#tell(gateway, state);
  }

  #tell(gateway: SupervisedGateway, state: GatewayState): void {
    const nowMs = performance.now();
    const turnMs = this.#looks === 0 ? 0 : (nowMs - this.#toldMs) / this.#looks;
    this.#toldMs = nowMs;
    this.#looks = 0;
    this.#told = state;
    this.#toldTaken = this.#gates.taken;
    this.#send({ type: 'state', state, gates: this.#gates.state, turnMs });
    const spent = gateway.takeSpent();
    if (spent.length > 0) this.#send({ type: 'spent', spent });
    const used = gateway.takeUsed();
    if (used.length > 0) this.#send({ type: 'used', used });
  }

  #heard(message: ToGateway, handle: Socket | Descriptor | undefined): void {
    switch (message.type) {
      case 'socket':
        this.#send({ type: 'took' });
        if (handle) this.#take(handle as Socket);
        break;
      case 'gate':
        if (handle) this.#gates.add(handle as Descriptor);
        this.#send({ type: 'took' });
        break;
      case 'admit':
        this.#gates.admit(message.most);
        break;
      case 'others':
        this.#doors = message.doors;
        this.#othersDetached = message.detached;
        break;
      case 'fault':
        this.#attached?.injectFault(message.fault);
        break;
      case 'spent':
        this.#attached?.owe(message.spent);
        break;
      case 'cordon':
        this.#attached?.cordon(message.isCordoned);
        break;
      case 'drain':
        // Who would come in by itself at the end would hear nothing any more.
        this.#gates.close();
        this.#options
          .onDrain()
          .then((report) => this.#send({ type: 'drained', report }))
          .catch(this.#options.onTrouble);
        break;
      case 'answer': {
        const isLate = !this.#asking.heard(message);
        if (isLate && 'place' in message.answer) this.#placeOf(message.answer as Granted).free();
        break;
      }
      case 'question':
        // The supervisor goes on without after a while.
        this.#answer(message)
          .then((answer) => this.#send({ type: 'answer', id: message.id, answer }))
          .catch(this.#options.onTrouble);
        break;
      case 'reload':
        this.#options.onReload?.();
        break;
      case 'tenants':
        this.#options.onTenants?.(message.text);
        break;
      case 'limits':
        this.#options.onLimits?.(message.changed);
        break;
      case 'begin':
        break;
    }
  }

  #take(socket: Socket): void {
    // As the sockets of a server of one process are: a client may end its side and still listen.
    socket.allowHalfOpen = true;
    if (this.#attached) this.#attached.take(socket);
    else socket.destroy();
  }

  async #answer(question: Extract<ToGateway, { type: 'question' }>): Promise<SupervisorAnswer> {
    switch (question.name) {
      case 'metrics':
        return { document: (await this.#attached?.metrics()) ?? [] };
      case 'view':
        return { view: this.#attached?.view() };
      case 'sessions':
        return { sessions: this.#attached?.sessions() ?? [] };
      case 'give_up':
        return { free: this.#attached?.giveUp(question.ask) };
    }
  }
}

type SupervisorAnswer = SupervisorQuestions[keyof SupervisorQuestions]['answer'];

/** How often a gateway says that it lives, and what it has. */
const beatMs = 100;
const lookMs = 20;
const retryAfterMs = 1000;
const unanswered: Refusal = { code: 'server_busy', message: 'the supervisor does not answer', retryAfterMs };
const unansweredUpgrade: HttpRefusal = { status: 503, reason: 'overload', ...unanswered, code: 'server_busy' };

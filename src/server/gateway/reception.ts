import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { subprotocol } from '../../protocol/address.ts';
import { QuicSocket } from '../../quic/quic-socket.ts';
import { stackOf } from '../../telemetry/log.ts';
import type { Account } from '../admission/account.ts';
import type { Accounts, Caller } from '../admission/accounts.ts';
import type { TakePlace } from '../admission/admit.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Room } from '../admission/room.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { whileWaiting } from '../admission/waiting-socket.ts';
import type { WorkBudget } from '../admission/work-budget.ts';
import { facadeAt } from '../facade/facades.ts';
import type { Facade, Wire } from '../facade/wire.ts';
import type { Refusal } from '../refusal.ts';
import type { ServerContext } from '../session/context.ts';
import { heardElsewhere } from './begin-session.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { Entrance } from './entrance.ts';
import { unreadOffers } from './http/handshake.ts';
import { socketOptions } from './http/listener.ts';
import { type CallerPolicy, callerOfUpgrade, hintsOf, pathOf, type Welcome } from './http/upgrade.ts';
import type { PassedOn } from './outside/inner-door.ts';
import type { SharedPlace, Supervision } from './outside/supervision.ts';
import type { Registry } from './registry.ts';
import { admitAbove, elsewhereOf, placeAbove } from './supervised.ts';
import type { Takeover } from './takeover.ts';
import type { Tenancy } from './tenancy.ts';

export type ReceptionOptions = {
  context: ServerContext;
  policy: CallerPolicy;
  accounts: Accounts;
  registry: Registry;
  room: Room;
  entrance: Entrance;
  work: WorkBudget;
  supervision: Supervision | undefined;
  /** Finds sessions of other gateways; absent: nobody keeps them. */
  takeover: Takeover | undefined;
  tenancy: Tenancy | undefined;
  /** A request for a WebSocket is to be refused. */
  onRefused(socket: Duplex, refusal: HttpRefusal, facade: Facade | undefined, tenant?: string): void;
  /** A request for a WebSocket is about to be answered. */
  onOpened(request: IncomingMessage): void;
};

/** Makes WebSockets of requests, and holds all that are open. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #sockets: WebSocketServer;
  /** In the order in which they came. */
  readonly #connections = new Map<Connection, Account>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer(socketOptions(options.context.limits));
    this.#sockets.on('wsClientError', (_, socket, request) => {
      options.onRefused(socket, unreadOffers, facadeAt(pathOf(request)));
    });
  }

  get size(): number {
    return this.#connections.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections.keys();
  }

  /** Looks at every connection: whether it has begun something in time, and answers pings. */
  tick(awakeMs: number): void {
    const due: Connection[] = [];
    for (const connection of this.#connections.keys()) {
      connection.tick(awakeMs);
      if (connection.isBeatDue(awakeMs)) due.push(connection);
    }
    if (due.length === 0) return;
    // Timers come before the sockets are read: what was answered meanwhile must be heard first.
    setImmediate(() => {
      for (const connection of due) connection.heartbeat();
    });
  }

  /** The connections that have no session, the oldest first: they may be given up for others. */
  *unstarted(): Iterable<GivenUp> {
    for (const [connection, account] of this.#connections) {
      if (!connection.hasSession) yield { account, giveUp: () => connection.giveUp() };
    }
  }

  /** Answers a request for a WebSocket: makes it, or says why not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      const found = callerOfUpgrade(request, this.#options.policy);
      if (!(found instanceof Promise)) this.#receive({ request, socket, head }, found);
      else {
        whileWaiting(socket, found)
          .then((late) => late && this.#receive({ request, socket, head }, late))
          .catch((error) => this.#failed(socket, error));
      }
    } catch (error) {
      this.#failed(socket, error);
    }
  }

  /** A bug of ours costs the one who met it the connection, and nobody else anything. */
  #failed(socket: Duplex, error: unknown): void {
    this.#options.context.log.error({ error: stackOf(error) }, 'a request for a WebSocket could not be answered');
    socket.destroy();
  }

  #receive({ request, socket, head }: Omit<PassedOn, 'caller'>, found: Welcome | HttpRefusal): void {
    const { accounts, context, entrance, onRefused, supervision, tenancy } = this.#options;
    const facade = facadeAt(pathOf(request));
    if ('status' in found) {
      onRefused(socket, found, facade);
      return;
    }
    const { wire, ...caller } = found;
    const hints = hintsOf(request);
    const mayResume = facade === undefined;
    const maySpill = context.router?.takesAny() === true;
    const claimed = { ...hints, maySpill };
    const full = entrance.connection(accounts.of(caller), claimed, mayResume, tenancy?.spent(caller.member));
    const refuse = (refusal: HttpRefusal): void => {
      if (caller.member) tenancy?.refused(caller.member, refusal);
      onRefused(socket, refusal, facade, caller.member?.tenant);
    };
    if (full) {
      refuse(full);
      return;
    }
    const name = facade?.name ?? subprotocol;
    const traceparent = request.headersDistinct.traceparent?.[0];
    const open = (shared?: SharedPlace): void => {
      this.#open({ request, socket, head }, { caller, wire, shared, arrives: name, moves: hints.moves, traceparent });
    };
    const claims = {
      ...{ isResume: entrance.isResume(hints, mayResume), mayResume, maySpill, lane: hints.lane },
      sendsAway: supervision !== undefined && entrance.sendsAway(accounts.of(caller), claimed),
    };
    if (!supervision) open();
    else
      placeAbove(supervision, { caller, socket, claims })
        .then((place) => {
          if (place && 'status' in place) refuse(place);
          else if (place) open(place);
        })
        .catch((error) => this.#failed(socket, error));
  }

  /** Another gateway passes on whom it has let in, for a session that is here. */
  passedOn({ caller, ...request }: PassedOn): void {
    this.#open(request, {
      caller,
      wire: undefined,
      shared: undefined,
      arrives: 'passed on',
      moves: false,
      traceparent: undefined,
    });
  }

  #open({ request, socket, head }: Omit<PassedOn, 'caller'>, arrival: Arrival): void {
    const { context, onOpened } = this.#options;
    onOpened(request);
    let isOpen = false;
    // ws sets TCP_NODELAY itself, and calls back at once or never.
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      isOpen = true;
      if (arrival.arrives !== 'passed on') {
        context.metrics.socket(arrival.arrives);
        context.metrics.carrier(socket instanceof QuicSocket ? 'quic' : 'tcp');
      }
      this.#connect(client, socket, arrival);
    });
    if (!isOpen) arrival.shared?.free();
  }

  #connect(socket: WebSocket, transport: Duplex, { caller, wire, shared, arrives, moves, traceparent }: Arrival): void {
    const isPassedOn = arrives === 'passed on';
    const { context, entrance, registry, room, supervision, takeover, tenancy, work } = this.#options;
    const accounts = this.#options.accounts.of(caller);
    const { member } = caller;
    // Who was passed on has its place where it came in.
    const free = isPassedOn ? () => {} : room.takeConnection(accounts);
    const connection: Connection = new Connection({
      socket,
      transport,
      datagrams: wire ? undefined : datagramsOf(transport),
      context,
      registry,
      wire,
      owner: caller.owner,
      accounts,
      work: work.account(accounts),
      takeover,
      followsMoves: moves,
      admit: (start, phones, isReturn = false) => {
        const elsewhere = () => heardElsewhere(context, start, caller.owner);
        const enter = (): Refusal | TakePlace =>
          isReturn
            ? entrance.takeOver(accounts, start, elsewhere)
            : entrance.session(accounts, start, phones, elsewhere);
        const here = tenancy && member ? tenancy.place(member, accounts, { enter, isReturn }) : enter();
        if (!supervision || here instanceof Promise || 'code' in here) return here;
        return admitAbove(supervision, caller, { start, phones, isReturn, here });
      },
      began: (session) => member && tenancy?.began(session, member),
      lane: member?.lane,
      tenant: member?.tenant,
      traceparent,
      elsewhere: supervision && !isPassedOn ? elsewhereOf(supervision, caller) : undefined,
      onClose: () => {
        free();
        shared?.free();
        this.#connections.delete(connection);
      },
    });
    this.#connections.set(connection, accounts[0]);
  }
}

/** What comes beside the stream of a QUIC connection. */
function datagramsOf(transport: Duplex): ConnectionOptions['datagrams'] {
  if (!(transport instanceof QuicSocket)) return undefined;
  return (hear) => void transport.on('datagram', hear);
}

/** Somebody for whom a WebSocket is made. */
type Arrival = {
  caller: Caller;
  /** What puts it into the words of others. */
  wire: Wire | undefined;
  /** What it has of the places of all gateways. */
  shared: SharedPlace | undefined;
  /** The protocol in which it came, or that it comes from another gateway. */
  arrives: string;
  /** Whether it goes where `moving` says. */
  moves: boolean;
  /** The span of its request, as it was written. */
  traceparent: string | undefined;
};

import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EngineFault } from '../../acoustic/engine/types.ts';
import type { StartMessage } from '../../protocol/client-messages.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Accounts, Caller } from '../admission/accounts.ts';
import { type StartDecision, type TakePlace, takePlace } from '../admission/admit.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Lobby } from '../admission/lobby.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { whileWaiting } from '../admission/waiting-socket.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';
import { sha256 } from '../secrets.ts';
import type { OtherGateways } from './connection-options.ts';
import type { Dismissal } from './dismissal.ts';
import type { EntranceOptions } from './entrance.ts';
import { type InnerDoor, passingHeaders } from './outside/inner-door.ts';
import {
  gatewayOf,
  type SharedClaims,
  type SharedPlace,
  type SharedWhat,
  type SupervisedGateway,
  type Supervision,
} from './outside/supervision.ts';
import type { GatewayView, SessionView } from './outside/view.ts';
import type { ServerStats } from './server-options.ts';
import type { Tenancy } from './tenancy.ts';

/** The parts of a server that its supervisor asks and tells. */
export type SupervisedParts = {
  http: Server;
  door: InnerDoor;
  accounts: Accounts;
  metrics: Metrics;
  overload: OverloadControl;
  lobby: Lobby;
  tenancy: Tenancy | undefined;
  candidates: Record<SharedWhat, () => Iterable<GivenUp>>;
  dismissal: Dismissal;
  stats(): ServerStats;
  /** Sessions that it carries now. */
  capacity(): number;
  notReady(): string | undefined;
  injectFault(fault: EngineFault): void;
  view(): GatewayView;
  sessions(): readonly SessionView[];
  cordon(isCordoned: boolean): void;
};

/** A server as its supervisor sees it. */
export function supervisedGateway(parts: SupervisedParts): SupervisedGateway {
  const { http, door, accounts, metrics, overload, candidates, dismissal } = parts;
  return {
    doorPort: door.port,
    doorSecret: door.secret,
    take: (socket) => void http.emit('connection', socket),
    giveUp({ what, caller, maySpeak, rank }) {
      const [wanted] = accounts.of(caller);
      for (const { account, giveUp } of candidates[what]()) {
        if (account !== wanted) continue;
        giveUp();
        metrics.givenUp(what);
        return 'now';
      }
      if (!maySpeak || !dismissal.sendOneOf(wanted, rank)) return undefined;
      metrics.givenUp(what);
      return 'soon';
    },
    metrics: () => metrics.document(),
    state() {
      const { sockets, sessions, detached } = parts.stats();
      return {
        notReady: parts.notReady(),
        connections: sockets + parts.lobby.size,
        sessions,
        detached,
        sessionLimit: parts.capacity(),
        level: overload.level,
      };
    },
    takeSpent: () => accounts.takeSpent(),
    takeUsed: () => parts.tenancy?.takeUsed() ?? [],
    owe: (spending) => accounts.owe(spending),
    injectFault: parts.injectFault,
    view: parts.view,
    sessions: parts.sessions,
    cordon: parts.cordon,
  };
}

/**
 * A place among the connections of the whole server for a request that waits meanwhile; undefined:
 * its client did not.
 */
export async function placeAbove(
  supervision: Supervision,
  { caller, socket, claims }: { caller: Caller; socket: Duplex; claims: SharedClaims },
): Promise<HttpRefusal | SharedPlace | undefined> {
  return await whileWaiting(socket, supervision.connection(caller, claims), (place) => {
    if (!('status' in place)) place.free();
  });
}

/** Asks the supervisor, too, whether a start may begin a session, or where it has already. */
export async function admitAbove(
  supervision: Supervision,
  caller: Caller,
  { start, phones, isReturn, here }: { start: StartMessage; phones: number; isReturn: boolean; here: TakePlace },
): Promise<Refusal | StartDecision> {
  const { idempotency_key } = start;
  const key = idempotency_key === undefined ? undefined : sha256(idempotency_key).toString('base64url');
  const answer = await supervision.session(caller, {
    ...{ phones, key, isReturn, lane: start.lane },
    isElsewhere: here.isElsewhere,
    sendsAway: here.sendsAway,
  });
  if ('code' in answer) return answer;
  if ('gateway' in answer) return { elsewhere: answer.gateway };
  const take = () => {
    const freeHere = here();
    return () => {
      freeHere();
      answer.free();
    };
  };
  return {
    take: takePlace(take, here),
    decline: () => answer.free(),
  };
}

/** What of the other gateways an entrance asks. */
export function othersOf(supervision: Supervision | undefined): EntranceOptions['others'] {
  return {
    detached: () => supervision?.othersDetached() ?? false,
    has(sessionId) {
      const gateway = supervision && gatewayOf(sessionId);
      return gateway !== undefined && supervision?.doorOf(gateway) !== undefined;
    },
  };
}

/** Which other gateway has a session, and how to reach it. */
export function elsewhereOf(supervision: Supervision, caller: Caller): OtherGateways {
  return {
    gatewayOf(sessionId) {
      const gateway = gatewayOf(sessionId);
      return gateway === supervision.gateway ? undefined : gateway;
    },
    doorOf(gateway) {
      const door = supervision.doorOf(gateway);
      return door && { port: door.port, headers: passingHeaders(door, caller) };
    },
  };
}

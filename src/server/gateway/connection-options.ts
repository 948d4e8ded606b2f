import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Lane, StartMessage } from '../../protocol/client-messages.ts';
import type { CallerAccounts } from '../admission/accounts.ts';
import type { Admit } from '../admission/admit.ts';
import type { Wire } from '../facade/wire.ts';
import type { ServerContext, WorkAccount } from '../session/context.ts';
import type { Session } from '../session/session.ts';
import type { Registry } from './registry.ts';
import type { Takeover } from './takeover.ts';

export type ConnectionOptions = {
  socket: WebSocket;
  /** The connection below the WebSocket. */
  transport: Duplex;
  /** Hears the datagrams that come beside the WebSocket; absent: its carrier has none. */
  datagrams?: ((hear: (data: Buffer) => void) => void) | undefined;
  context: ServerContext;
  registry: Registry;
  /** Speaks a protocol of others; undefined: the client speaks `speechfb.v1`. */
  wire: Wire | undefined;
  /** The name of the client's token. */
  owner: string | undefined;
  /** Pays for the texts that come through this socket. */
  work: WorkAccount;
  /** The accounts of its resumes and of its session. */
  accounts: CallerAccounts;
  /**
   * Why a new session with a text of so many phones may not start now, or what begins one; where
   * that is decided elsewhere, a promise of it. `isReturn`: the session was at another gateway.
   */
  admit: Admit;
  /** Finds sessions of gateways that are gone; absent: nobody keeps them. */
  takeover?: Takeover | undefined;
  /** Other gateways; absent: the server has none, or one of them passed this socket on. */
  elsewhere?: OtherGateways | undefined;
  /** A session has begun through this socket. */
  began?(session: Session): void;
  /** The lane that all sessions of the client go in; undefined: as they ask. */
  lane?: Lane | undefined;
  /** The tenant whose client it is; undefined: it is none's. */
  tenant?: string | undefined;
  /** The span of the request that opened the socket, which a start without one has. */
  traceparent?: string | undefined;
  /** Whether the client goes where `moving` says. */
  followsMoves?: boolean;
  onClose(): void;
};

/** Where sessions are that are not here. */
export type OtherGateways = {
  /** The other gateway that the id of a session names; undefined: it names none. */
  gatewayOf(sessionId: string): number | undefined;
  /** Where that one takes sockets that are passed on, and what to show there. */
  doorOf(gateway: number): { port: number; headers: Record<string, string> } | undefined;
};

/** Which span a start belongs to: its own, or that of the request that opened its socket. */
export function spanOf(
  { traceparent }: StartMessage,
  ofRequest: string | undefined,
): Pick<StartMessage, 'traceparent'> {
  const own = traceparent ?? ofRequest;
  // What no version of it needs is not kept for as long as the session lasts.
  return own === undefined ? {} : { traceparent: own.slice(0, mostChars) };
}

/** A session is heard and kept in the region that it names, or nowhere. */
export function wrongRegion({ type, region }: { type: string; region?: string | undefined }, here: string | undefined) {
  if (region === undefined || region === here) return undefined;
  const what = type === 'start' ? 'asks for' : 'is in';
  const where = here === undefined ? 'has no region' : `is in ${here}`;
  return { code: 'wrong_region', message: `the session ${what} region ${region}, and this server ${where}` } as const;
}

const mostChars = 100;

import type { IncomingHttpHeaders } from 'node:http';
import type { ClientMessage } from '../../protocol/client-messages.ts';
import type { AudioFrame } from '../../protocol/frame.ts';
import type { HttpRefusal, HttpWords } from '../admission/http-refusal.ts';
import type { Refusal } from '../refusal.ts';
import type { SessionSocket } from '../session/session-options.ts';

/** What a foreign message means, as a client of `speechfb.v1` would have said it. */
export type Meant = { message: ClientMessage } | { frame: AudioFrame } | { refusal: Refusal };

/**
 * One WebSocket in a foreign protocol, between it and the same session that `speechfb.v1` has: what
 * the client says becomes messages and frames of ours, and what the session writes becomes what the
 * client reads. Such a session cannot be resumed.
 */
export type Wire = {
  /**
   * Gives what the session writes to in place of `socket`.
   * @param act does what the wire decides by itself, as when a pause ends an utterance; not to be
   * called while the session writes.
   */
  attach(socket: SessionSocket, act: (meant: readonly Meant[]) => void): SessionSocket;
  /** The client is there: what that means already. */
  open(): readonly Meant[];
  /** Whether a message is sound, which may come more often than others. */
  isSound(data: Buffer, isBinary: boolean): boolean;
  hear(data: Buffer, isBinary: boolean): readonly Meant[];
};

/** A protocol of others that this server speaks, at a path of its own. */
export type Facade = {
  /** The label of metrics. */
  name: string;
  path: string;
  /** The token that a caller shows, in whichever way the protocol's clients do. */
  tokenOf(headers: IncomingHttpHeaders, offered: readonly string[]): string | undefined;
  /** What a caller without a token is told to send. */
  tokenHint: string;
  /** Which of the offered subprotocols is taken. */
  subprotocol(offered: readonly string[]): string | undefined;
  /** A refusal before there is a WebSocket, in the protocol's words. */
  words(refusal: HttpRefusal): HttpWords;
  /** The wire of one caller, or what is wrong with what it asks for. */
  open(query: URLSearchParams): Wire | HttpRefusal;
};

/** A key behind a scheme in the header Authorization, as in `Token KEY`. */
export function keyAfter(schemes: RegExp, { authorization = '' }: IncomingHttpHeaders): string | undefined {
  const [, scheme = '', key] = /^(\S+)\s+(\S+)$/.exec(authorization) ?? [];
  return schemes.test(scheme) ? key : undefined;
}

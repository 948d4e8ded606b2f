import type { Duplex } from 'node:stream';
import type { upgradeHints } from '../../protocol/address.ts';
import type { ChecksummedFrame } from '../../protocol/frame.ts';

/**
 * One connection as an app holds it: a WebSocket, on the network that is there or on a simulated
 * one, or a call of gRPC. Times are ms on the shard's clock.
 */
export type Link = {
  /**
   * An audio frame, a text, or a message that is made already. Dropped without a word when the link
   * is closed or not open yet.
   */
  send(message: ChecksummedFrame | PreparedMessage | string): void;
  ping(): void;
  pong(data: Uint8Array): void;
  /** Reads no further until `resume`: what comes waits in the kernel, and the server feels it. */
  pause(): void;
  resume(): void;
  /** Ends at once, without a close frame; no event follows. */
  terminate(): void;
  /** Says goodbye (1000) and ends; no event follows. */
  goodbye(): void;
  /** Present where the app can end its half alone: it sends nothing more, and hears the rest. */
  halfClose?(): void;
  /**
   * Bytes taken by `send` that the network has not taken yet: `WebSocket.bufferedAmount`. By
   * datagrams those that went since the server was last heard, too.
   */
  readonly bufferedBytes: number;
  /** Present when the server would open no stream, or turned away a call. */
  readonly refusal?: LinkRefusal | undefined;
};

/** Whether a server that refused may open a stream later, and how long it asks to wait, ms. */
export type LinkRefusal = {
  retryable: boolean;
  retryAfterMs?: number | undefined;
  /** The status of its answer, where that was one of HTTP. */
  status?: number | undefined;
};

/** A message of any protocol, which many links send as it is; none of them changes it. */
export type PreparedMessage = {
  payload: Uint8Array;
  isText: boolean;
  /** Place of the frame of sound that it brings: `carried` reports it. */
  place?: number;
};

/** What a link reports to its holder, in order of time, and which link it is. */
export type LinkEvents = {
  opened(from: Link): void;
  /**
   * A text, which lies in `bytes` from `begin` to `end` during the call; `downlinkMs` is what the
   * way down took, where that is known.
   */
  message(
    bytes: Buffer,
    begin: number,
    end: number,
    receivedMs: number,
    downlinkMs: number | undefined,
    from: Link,
  ): void;
  /**
   * A binary message, which no server of ours sends. `data` lies there during the call; it is there
   * where the target asks for it.
   */
  binary(from: Link, data: Buffer | undefined, receivedMs: number, downlinkMs: number | undefined): void;
  pong(receivedMs: number, from: Link): void;
  /** The last event. 1006 without a close frame; then the reason is the system's. */
  closed(code: number, reason: string, from: Link): void;
  /** Where present, pings of the server come here instead of being answered by the link. */
  ping?(data: Uint8Array): void;
  /**
   * The simulated network under the link is gone; the app may try again, at once or after
   * `retryAfterMs`. The last event.
   */
  died?(reason: string, atMs: number, retryAfterMs: number | undefined, from: Link): void;
  /**
   * The audio frame of this first sample, or the prepared message of this place, came through the
   * simulated network at `atMs`, and onto the real one `lateMs` later.
   */
  carried?(firstSample: number, atMs: number, lateMs: number): void;
};

/**
 * Opens one connection; every attempt of a client is a link of its own. The hints go into the
 * upgrade's query; `at` is where the server said that its session goes on.
 */
export type OpenLink = (events: LinkEvents, hints?: UpgradeHints, at?: string) => Link;

/** What a busy server need not hear a client out for: see `upgradeHints`. */
export type UpgradeHints = { readonly [hint in keyof typeof upgradeHints]?: string };

/** A device whose network is simulated. */
export type SimulatedDevice = {
  /** Links over its network to where `real` links lead. */
  links(real: OpenLink): OpenLink;
  /** A connection over its network, which begins to open now, for who makes its bytes: HTTP/2. */
  line(events: LineEvents): Line;
  /** Nothing passes for a while, from now on. */
  cut(forMs: number): void;
  /** A share of the packets is lost beside what the network loses, for a while, from now on. */
  lose(share: number, forMs: number): void;
};

/** A connection of bytes over a simulated network. */
export type Line = {
  /**
   * The app's end of it, `far` being the server's; one end at a time, so that a second waits until
   * the first is closed. Throws when the line is over.
   */
  join(far: Duplex): Promise<Duplex>;
  /** Bytes that the app has written. */
  readonly writtenBytes: number;
  /** Bytes that the app has written and the network has not taken yet. */
  readonly bufferedBytes: number;
  /** What waits passes now, and whatever comes as it comes: nothing is measured any more. */
  release(): void;
  /** Ends both ends at once; no event follows. */
  destroy(): void;
};

/** What a line reports, in order of time, ms on the shard's clock. */
export type LineEvents = {
  /** So many bytes in all came through to the server at `atMs`, and onto the real socket later. */
  cameUp(bytes: number, atMs: number, lateMs: number): void;
  /** Bytes came down, after so long. */
  cameDown(tookMs: number): void;
  /** The simulated network is gone. The last event. */
  died(reason: string): void;
};

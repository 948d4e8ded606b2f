import type { Direction } from './profile.ts';

/** What a connection tells, in time order. Times are us of the virtual clock. */
export type ConnectionSink = {
  /** Both ends may write: the WebSocket is open. */
  opened(atUs: number): void;
  /** Message `number` (0, 1, ... per direction, in the order written) is whole at the other end. */
  delivered(direction: Direction, number: number, atUs: number): void;
  /** It will never come: a datagram that the network dropped. */
  lost(direction: Direction, number: number, atUs: number): void;
  /** Both ends know that it is over. A connection that dies silently never says so. */
  closed(reason: string, atUs: number): void;
  /** The phone has another address, and may open a new connection retryAfterUs later. */
  addressChanged(atUs: number, retryAfterUs: number): void;
};

/** What went through one direction of a connection, as its sender counts. */
export type FlowCounters = {
  /** Segments with payload, retransmissions included. */
  packets: number;
  retransmissions: number;
  timeouts: number;
  /** Packets of either kind that this direction's path dropped. */
  dropped: number;
  /** Payload bytes written, and arrived in order. */
  bytesWritten: number;
  bytesDelivered: number;
};

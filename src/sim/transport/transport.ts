import type { Direction } from '../profile/profile.ts';

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

/** What carries messages between the two ends, once they are connected. */
export interface Transport {
  /** A message, numbered per direction from 0. */
  write(direction: Direction, bytes: number, nowUs: number): void;
  /** When something happens next, us; Infinity when nothing will. */
  nextUs(): number;
  /** Does one thing of those that happen at nextUs. */
  step(report: TransportReport): void;
  /** Bytes written and not yet handed to the network. */
  bufferedBytes(direction: Direction): number;
  /** The device has another address from nowUs on. Returns whether the connection lives on. */
  moveAddress(nowUs: number): boolean;
}

export type TransportReport = {
  delivered(direction: Direction, number: number, atUs: number): void;
  lost(direction: Direction, number: number, atUs: number): void;
  closed(reason: string, atUs: number): void;
};

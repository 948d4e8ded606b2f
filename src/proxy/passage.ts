import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionSink } from '../sim/connection.ts';
import type { SimulatedConnection } from '../sim/network.ts';
import type { Direction } from '../sim/profile/profile.ts';
import type { Due } from './due-queue.ts';

/** What a passage joins: a socket, or a stream in memory that stands for one. */
export type PassageEnd = Duplex & Partial<Pick<Socket, 'setNoDelay' | 'resetAndDestroy'>>;

/** What a passage reports to its proxy. */
export type PassageEvents = {
  /** `latencyUs` as the model has it; `lateUs` after that the socket was written to. */
  delivered(direction: Direction, bytes: number, latencyUs: number, lateUs: number): void;
  /** The device has another address: the sockets stay open and nothing passes any more. */
  silenced(): void;
  /** The network ended the connection; both sockets were reset. */
  reset(reason: string): void;
  /** Both sockets are closed. */
  over(): void;
  /** `nextUs` may have come nearer. */
  changed(): void;
};

/** Bytes as they were read, or the end of the stream. */
type Piece = { bytes: Buffer | 'end' | 'reset'; readUs: number };

type Lane = {
  from: PassageEnd;
  to: PassageEnd;
  waiting: Piece[];
  /** Pieces that were given to `to` and that the system has not taken. */
  unwritten: number;
  closed: boolean;
};

/** What is written to the model at once: a segment, so that a large read arrives bit by bit. */
const pieceBytes = 1448;
/** More than this waits in the device's socket, or the far end's, and no more is read. */
const highWaterBytes = 256 * 1024;
/** The same in pieces, which may be of one byte each, and take some hundred in memory. */
const highWaterPieces = 2048;

/**
 * One client's two sockets, joined by a simulated connection: what is read from one is written to
 * the other when the model delivers it. Ends and resets travel as bytes do. Times are us of the
 * clock by which the connection began.
 */
export class Passage implements Due {
  readonly connection: SimulatedConnection;
  readonly #lanes: Record<Direction, Lane>;
  readonly #nowUs: () => number;
  readonly #events: PassageEvents;
  #moved = false;
  #dead = false;
  #released = false;
  #over = false;

  constructor(
    client: PassageEnd,
    upstream: PassageEnd,
    connection: SimulatedConnection,
    nowUs: () => number,
    events: PassageEvents,
  ) {
    this.connection = connection;
    this.#nowUs = nowUs;
    this.#events = events;
    this.#lanes = {
      up: { from: client, to: upstream, waiting: [], unwritten: 0, closed: false },
      down: { from: upstream, to: client, waiting: [], unwritten: 0, closed: false },
    };
    this.#join('up');
    this.#join('down');
  }

  nextUs(): number {
    return this.#dead || this.#released || this.#over ? Number.POSITIVE_INFINITY : this.connection.nextUs();
  }

  run(): void {
    if (this.#over || this.#released) return;
    this.connection.advance(this.#nowUs(), this.#sink);
    // A reset comes with the change of address; without one, nobody is told.
    if (this.#moved && !this.#dead) {
      this.#dead = true;
      this.#events.silenced();
    }
    for (const direction of directions) this.#regulate(direction);
  }

  /** What waits passes now, and whatever comes as it comes: the network is no longer asked. */
  release(): void {
    if (this.#dead) return;
    this.#released = true;
    for (const direction of directions) {
      while (this.#lanes[direction].waiting.length > 0) this.#deliver(direction, this.#nowUs());
      this.#regulate(direction);
    }
  }

  /** Both sockets, at once and without a word to the model. */
  destroy(): void {
    for (const direction of directions) this.#lanes[direction].from.destroy();
  }

  readonly #sink: ConnectionSink = {
    opened() {},
    delivered: (direction, _number, atUs) => this.#deliver(direction, atUs),
    lost() {},
    closed: (reason) => {
      this.#dead = true;
      for (const direction of directions) reset(this.#lanes[direction].from);
      this.#events.reset(reason);
    },
    addressChanged: () => {
      this.#moved = true;
    },
  };

  #join(direction: Direction): void {
    const lane = this.#lanes[direction];
    lane.from.setNoDelay?.(true);
    lane.from.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += pieceBytes) this.#write(direction, bytes.subarray(at, at + pieceBytes));
      this.#regulate(direction);
      this.#events.changed();
    });
    lane.from.on('end', () => this.#finish(direction, 'end'));
    lane.from.on('error', () => this.#finish(direction, 'reset'));
    lane.to.on('drain', () => this.#regulate(direction));
    lane.from.on('close', () => {
      lane.closed = true;
      if (this.#over || !directions.every((each) => this.#lanes[each].closed)) return;
      this.#over = true;
      this.#events.over();
    });
  }

  #write(direction: Direction, bytes: Piece['bytes']): void {
    const readUs = this.#nowUs();
    this.#lanes[direction].waiting.push({ bytes, readUs });
    if (this.#released) this.#deliver(direction, readUs);
    // An end takes a packet of its own, after all bytes.
    else this.connection.write(direction, typeof bytes === 'string' ? 1 : bytes.length, readUs);
  }

  #finish(direction: Direction, how: 'end' | 'reset'): void {
    if (this.#dead) {
      // The other end will never hear of it.
      this.#lanes[direction].from.destroy();
      return;
    }
    this.#write(direction, how);
    this.#events.changed();
  }

  #deliver(direction: Direction, atUs: number): void {
    const lane = this.#lanes[direction];
    const { to, waiting } = lane;
    const { bytes, readUs } = waiting.shift()!;
    if (bytes === 'end') to.end();
    else if (bytes === 'reset') reset(to);
    else {
      if (to.writable) {
        lane.unwritten += 1;
        to.write(bytes, () => {
          lane.unwritten -= 1;
          if (lane.from.isPaused()) this.#regulate(direction);
        });
      }
      this.#events.delivered(direction, bytes.length, atUs - readUs, this.#nowUs() - atUs);
    }
  }

  /** Reads no more while too much waits, in the model or in the socket behind it. */
  #regulate(direction: Direction): void {
    const { from, to, waiting, unwritten } = this.#lanes[direction];
    const held = this.#released ? 0 : this.connection.bufferedBytes(direction);
    const bytes = Math.max(held, to.writableLength);
    const full = bytes > highWaterBytes || waiting.length + unwritten > highWaterPieces;
    if (full || this.#dead) from.pause();
    else if (from.isPaused()) from.resume();
  }
}

function reset(end: PassageEnd): void {
  if (end.resetAndDestroy) end.resetAndDestroy();
  else end.destroy();
}

const directions = ['up', 'down'] as const;

import type { Link, LinkEvents, LinkRefusal, OpenLink, PreparedMessage } from '../../client/link/link.ts';
import { type Clock, idle, type Timers, type WheelTask } from '../../clock/wheel.ts';
import { type ChecksummedFrame, frameHeaderBytes } from '../../protocol/frame.ts';
import type { ConnectionSink } from '../../sim/connection.ts';
import type { SimulatedConnection } from '../../sim/network.ts';
import type { Direction, TransportName } from '../../sim/profile/profile.ts';
import { wireBytes } from '../../sim/wire-bytes.ts';
import { InFlight } from './in-flight.ts';

/**
 * What a link needs of the shaper that made it: the time of the simulated networks, and a place for
 * sockets of dead devices.
 */
export type LinkTime = {
  readonly options: { clock: Clock; timers: Timers };
  /** Now, or when what runs now was due, us since the plan's 0. */
  nowUs(): number;
  /** A virtual time on the shard's clock, ms. */
  clockMs(atUs: number): number;
  /** Keeps a dead device's socket open and silent for as long as a server keeps waiting for it. */
  abandon(socket: Abandoned): void;
};

/** A socket whose device has gone. */
export type Abandoned = Pick<Link, 'pause' | 'terminate'>;

export type NetworkLinkOptions = {
  connection: SimulatedConnection;
  transport: TransportName;
  shaper: LinkTime;
  onLateness(ms: number): void;
  real: OpenLink;
  events: LinkEvents;
};

/**
 * What goes up: what the app sends, and the answers that its WebSocket library gives. `bytes` as on
 * the wire.
 */
type Up = { bytes: number } & (
  | { kind: 'audio'; frame: ChecksummedFrame | PreparedMessage; place: number }
  | { kind: 'prepared'; message: PreparedMessage }
  | { kind: 'text'; text: string }
  | { kind: 'ping' }
  | { kind: 'pong'; data: Uint8Array }
);

/** What comes down, and when the server wrote it. */
type Down = { bytes: number; writtenUs: number } & (
  | { kind: 'text'; text: Buffer }
  | { kind: 'binary'; data: Buffer | undefined }
  | { kind: 'ping'; data: Uint8Array }
  | { kind: 'pong' }
  | { kind: 'closed'; code: number; reason: string }
);

/**
 * What a socket of the server would hold until the device has it: Linux lets some 130 KB be on
 * their way or wait behind a window of 25 segments. With more, no more is read, so that the server
 * feels a slow device, and memory has an end.
 */
const mostHeldBytes = 128 * 1024;
/** The same in messages, which may be of two bytes, and take some hundred in memory. */
const mostHeldMessages = 2048;

/**
 * A link over a simulated network: what the app sends is written to the real socket when the
 * network would have delivered it, what the server sends is held until then. The real socket opens
 * at once; the app hears of it when a device would.
 */
export class NetworkLink implements Link, ConnectionSink, WheelTask {
  slot = idle;
  readonly #connection: SimulatedConnection;
  readonly #transport: TransportName;
  readonly #shaper: LinkTime;
  readonly #onLateness: (ms: number) => void;
  readonly #real: Link;
  readonly #events: LinkEvents;
  readonly #up: InFlight<Up>;
  readonly #down: InFlight<Down>;
  /** Where the network's time stands; it never goes back. */
  #timeUs: number;
  /** Reasons why the real socket is not read: the app, and a way down that is full. */
  readonly #unread = { app: false, network: false };
  /** Server bytes and messages not yet delivered to the app. */
  #heldBytes = 0;
  #heldMessages = 0;
  /** An answer to a ping is on its way up; the newest ping that came since then. */
  #ponging = false;
  #pinged: Uint8Array | undefined;
  /** Within `connection.advance`: what is written meanwhile waits until it returns. */
  #advancing = false;
  readonly #written: { direction: Direction; bytes: number }[] = [];
  #over = false;
  /** Which ends are open: the app hears of it when both are. */
  readonly #open = { network: false, real: false };
  #failure: { code: number; reason: string } | undefined;

  constructor({ connection, transport, shaper, onLateness, real, events }: NetworkLinkOptions) {
    this.#onLateness = onLateness;
    this.#connection = connection;
    this.#transport = transport;
    this.#shaper = shaper;
    this.#events = events;
    this.#timeUs = shaper.nowUs();
    // On one stream everything keeps its place. Datagrams carry the audio; the rest goes by a
    // stream beside them.
    const stream = transport !== 'quic-datagram';
    this.#up = new InFlight((up) => stream || up.kind !== 'audio');
    this.#down = new InFlight(() => true);
    this.#real = real({
      opened: () => this.#opens('real'),
      message: (bytes, begin, end) =>
        this.#writeDown({ kind: 'text', text: Buffer.from(bytes.subarray(begin, end)) }, end - begin),
      binary: (_, data) => {
        const kept = data && Buffer.from(data);
        this.#writeDown({ kind: 'binary', data: kept }, kept?.length ?? 0);
      },
      ping: (data) => this.#writeDown({ kind: 'ping', data: Uint8Array.from(data) }, data.length),
      pong: () => this.#writeDown({ kind: 'pong' }, 0),
      closed: (code, reason) => this.#realClosed(code, reason),
    });
    this.#reschedule();
  }

  /** What a server does not read closes the window of its socket, and waits in the device's. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes('up') + this.#real.bufferedBytes;
  }

  get refusal(): LinkRefusal | undefined {
    return this.#real.refusal;
  }

  send(message: ChecksummedFrame | PreparedMessage | string): void {
    if (typeof message === 'string') {
      this.#writeUp({ kind: 'text', text: message }, Buffer.byteLength(message));
      return;
    }
    const { byteLength } = message.payload;
    if (!('isText' in message))
      this.#writeUp({ kind: 'audio', frame: message, place: message.firstSample }, frameHeaderBytes + byteLength);
    else if (message.place === undefined) this.#writeUp({ kind: 'prepared', message }, byteLength);
    else this.#writeUp({ kind: 'audio', frame: message, place: message.place }, byteLength);
  }

  ping(): void {
    this.#writeUp({ kind: 'ping' }, 0);
  }

  pong(data: Uint8Array): void {
    this.#writeUp({ kind: 'pong', data }, data.length);
  }

  pause(): void {
    this.#read('app', false);
  }

  resume(): void {
    this.#read('app', true);
  }

  terminate(): void {
    if (this.#over) return;
    this.#over = true;
    this.#real.terminate();
  }

  /** The server hears it at once: nothing that is measured comes after it. */
  goodbye(): void {
    if (this.#over) return;
    this.#over = true;
    this.#real.goodbye();
  }

  /** The wheel's call: something of the network is due. */
  run(): void {
    this.#advance(this.#shaper.nowUs());
    this.#reschedule();
  }

  opened(atUs: number): void {
    this.#timeUs = atUs;
    this.#opens('network');
  }

  delivered(direction: Direction, number: number, atUs: number): void {
    if (this.#over) return;
    this.#timeUs = atUs;
    if (direction === 'up') this.#up.arrive(number, this.#passUp);
    else this.#down.arrive(number, this.#passDown);
  }

  lost(direction: Direction, number: number, atUs: number): void {
    if (this.#over) return;
    this.#timeUs = atUs;
    const flight = direction === 'up' ? this.#up : this.#down;
    const message = flight.message(number);
    if (!message) return;
    if ('frame' in message) {
      this.#up.giveUp(number, this.#passUp);
    } else {
      flight.rewrite(number);
      this.#write(direction, message.bytes);
    }
  }

  closed(reason: string, atUs: number): void {
    if (this.#over) return;
    this.#timeUs = atUs;
    this.terminate();
    this.#events.died?.(reason, this.#shaper.clockMs(atUs), undefined, this);
  }

  addressChanged(atUs: number, retryAfterUs: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#shaper.abandon(this.#real);
    this.#events.died?.('the phone got a new address', this.#shaper.clockMs(atUs), retryAfterUs / 1000, this);
  }

  #opens(what: 'network' | 'real'): void {
    if (this.#over) return;
    this.#open[what] = true;
    if (!this.#open.network) return;
    if (this.#failure) {
      this.#over = true;
      this.#events.closed(this.#failure.code, this.#failure.reason, this);
    } else if (this.#open.real) {
      this.#events.opened(this);
    }
  }

  #realClosed(code: number, reason: string): void {
    if (this.#over) return;
    if (this.#open.real) {
      this.#writeDown({ kind: 'closed', code, reason }, 2 + Buffer.byteLength(reason));
    } else {
      this.#failure = { code, reason };
      if (this.#open.network) this.#opens('network');
    }
  }

  #writeUp(up: DistributiveOmit<Up, 'bytes'>, payloadBytes: number): void {
    this.#catchUp();
    if (this.#over) return;
    const bytes = wireBytes(payloadBytes, true, this.#transport);
    this.#up.write({ ...up, bytes });
    this.#write('up', bytes);
  }

  #writeDown(down: DistributiveOmit<Down, 'bytes' | 'writtenUs'>, payloadBytes: number): void {
    this.#catchUp();
    if (this.#over) return;
    const bytes = wireBytes(payloadBytes, false, this.#transport);
    this.#down.write({ ...down, bytes, writtenUs: this.#timeUs });
    this.#write('down', bytes);
    this.#heldBytes += bytes;
    this.#heldMessages += 1;
    if (this.#heldBytes > mostHeldBytes || this.#heldMessages > mostHeldMessages) this.#read('network', false);
  }

  #read(who: 'app' | 'network', wanted: boolean): void {
    const before = this.#unread.app || this.#unread.network;
    this.#unread[who] = !wanted;
    const after = this.#unread.app || this.#unread.network;
    if (before === after || this.#over) return;
    if (after) this.#real.pause();
    else this.#real.resume();
  }

  #write(direction: Direction, bytes: number): void {
    if (this.#advancing) {
      this.#written.push({ direction, bytes });
    } else {
      this.#connection.write(direction, bytes, this.#timeUs);
      this.#reschedule();
    }
  }

  /** Before something is written: what the network did until now comes first. */
  #catchUp(): void {
    if (this.#advancing || this.#over) return;
    const nowUs = this.#shaper.nowUs();
    this.#advance(nowUs);
    this.#timeUs = Math.max(this.#timeUs, nowUs);
  }

  /** Lets time pass event by event, so that what one leads to is written at its very time. */
  #advance(nowUs: number): void {
    for (;;) {
      const nextUs = this.#connection.nextUs();
      if (this.#over || nextUs > nowUs) return;
      this.#advancing = true;
      this.#connection.advance(nextUs, this);
      this.#advancing = false;
      this.#timeUs = Math.max(this.#timeUs, nextUs);
      for (const { direction, bytes } of this.#written) this.#connection.write(direction, bytes, this.#timeUs);
      this.#written.length = 0;
    }
  }

  #reschedule(): void {
    if (this.#over) return;
    const nextUs = this.#connection.nextUs();
    if (nextUs === Number.POSITIVE_INFINITY) this.slot = idle;
    else this.#shaper.options.timers.schedule(this, this.#shaper.clockMs(nextUs));
  }

  /** Writes to the real socket what has come through. */
  readonly #passUp = (up: Up): void => {
    const lateMs = this.#late();
    if (up.kind === 'audio') {
      this.#real.send(up.frame);
      this.#events.carried?.(up.place, this.#shaper.clockMs(this.#timeUs), lateMs);
    } else if (up.kind === 'text') this.#real.send(up.text);
    else if (up.kind === 'prepared') this.#real.send(up.message);
    else if (up.kind === 'ping') this.#real.ping();
    else this.#passPong(up.data);
  };

  /**
   * One answer at a time is on its way up, the next to the newest ping (RFC 6455, section 5.5.3):
   * the way up may be slower than the way down.
   */
  #answer(data: Uint8Array): void {
    this.#pinged = data;
    if (this.#ponging) return;
    this.#ponging = true;
    this.#pinged = undefined;
    this.pong(data);
  }

  #passPong(data: Uint8Array): void {
    this.#real.pong(data);
    this.#ponging = false;
    if (this.#pinged) this.#answer(this.#pinged);
  }

  /** Tells the app what has come down, at the time when it came. */
  readonly #passDown = (down: Down): void => {
    if (this.#over) return;
    this.#late();
    this.#heldBytes -= down.bytes;
    this.#heldMessages -= 1;
    const roomy = this.#heldBytes <= mostHeldBytes / 2 && this.#heldMessages <= mostHeldMessages / 2;
    if (this.#unread.network && roomy) this.#read('network', true);
    const atMs = this.#shaper.clockMs(this.#timeUs);
    if (down.kind === 'text') {
      const downlinkMs = (this.#timeUs - down.writtenUs) / 1000;
      this.#events.message(down.text, 0, down.text.length, atMs, downlinkMs, this);
    } else if (down.kind === 'binary') {
      this.#events.binary(this, down.data, atMs, (this.#timeUs - down.writtenUs) / 1000);
    } else if (down.kind === 'pong') this.#events.pong(atMs, this);
    else if (down.kind === 'ping') this.#answer(down.data);
    else {
      this.#over = true;
      this.#events.closed(down.code, down.reason, this);
    }
  };

  #late(): number {
    const lateMs = this.#shaper.options.clock() - this.#shaper.clockMs(this.#timeUs);
    this.#onLateness(lateMs);
    return lateMs;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

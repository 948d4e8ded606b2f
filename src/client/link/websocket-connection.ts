import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../clock/wheel.ts';
import type { ChecksummedFrame } from '../../protocol/frame.ts';
import type { Link, LinkEvents, LinkRefusal, PreparedMessage, UpgradeHints } from './link.ts';
import { Datagrams, type LinkTransport, openQuic } from './quic-way.ts';
import { trusting } from './trust.ts';
import type { UpgradeAnswer } from './upgrade-answer.ts';
import { type UpgradeWishes, upgradeRequest } from './websocket-handshake.ts';
import { WsReader } from './websocket-reader.ts';
import { opcodes, WsWriter } from './websocket-writer.ts';

/** Where learners connect: a ws:// or wss:// URL, the bearer token if the server wants one. */
export type LinkTarget = UpgradeWishes & {
  url: string;
  tls?: TlsOptions | undefined;
  /** How long the connection and the answer to the upgrade may take; default 10 s. */
  handshakeMs?: number;
  /** What carries it; default `websocket`, over TCP. */
  transport?: LinkTransport | undefined;
  /** Binary messages of the server are heard with what they hold. */
  keepsBinary?: boolean;
};

/** What all connections of a shard share. */
type ConnectionContext = {
  target: LinkTarget;
  clock: Clock;
  /** Called behind each message, with the time at which it came. */
  afterMessage: ((nowMs: number) => void) | undefined;
};

/**
 * Links on the network that is there. `afterMessage` is called behind each message, with the time
 * at which it came.
 */
export function socketLinks(
  target: LinkTarget,
  clock: Clock,
  afterMessage?: (nowMs: number) => void,
): (events: LinkEvents, hints?: UpgradeHints, at?: string) => Link {
  const context = { target, clock, afterMessage };
  return (events, hints, at) => {
    const moved = at === undefined ? context : { ...context, target: { ...target, url: at } };
    return new WsConnection(moved, events, hints);
  };
}

/**
 * How a wss:// server is trusted: a PEM certificate authority beside the system's, or nobody asked.
 */
export type TlsOptions = { ca?: string; insecure?: true };

/**
 * A WebSocket client for one thing: sending very many small frames from one process. Next to the ws
 * library it makes one write of one buffer a frame, reads into one buffer that all connections
 * share, and keeps nothing of a stream's machinery in between; bench/load measures what that is
 * worth.
 */
class WsConnection extends WsReader implements Link {
  readonly #context: ConnectionContext;
  readonly #events: LinkEvents;
  readonly #socket: Duplex;
  /** Present where frames of sound go as datagrams. */
  readonly #datagrams: Datagrams | undefined;
  #timer: NodeJS.Timeout;
  /** Present while the answer to the upgrade comes. */
  #answer: UpgradeAnswer | undefined;
  /** The newest ping that has not been answered. */
  #pinged: Buffer | undefined;
  #paused = false;
  /** The next turn of reading is due. */
  #turn: NodeJS.Immediate | undefined;
  #end: { code: number; reason: string } | undefined;
  #over = false;

  constructor(context: ConnectionContext, events: LinkEvents, hints: UpgradeHints = {}) {
    super(context.target.keepsBinary);
    this.#context = context;
    this.#events = events;
    const { target } = context;
    const url = new URL(target.url);
    const { request, answer } = upgradeRequest(url, target, hints);
    this.#answer = answer;
    const read = (length: number): boolean => this.#received(length);
    if (target.transport === undefined || target.transport === 'websocket') {
      this.#socket = openSocket(url, target, read);
    } else {
      const { tls, transport, handshakeMs = longestHandshakeMs } = target;
      const socket = openQuic(url, { tls, handshakeMs, buffer: received, read });
      this.#socket = socket;
      if (transport === 'quic-datagram') this.#datagrams = new Datagrams(socket);
    }
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#end ??= { code: 1006, reason: error.message || error.code || error.name };
    });
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => this.#closed());
    const { handshakeMs = longestHandshakeMs } = target;
    this.#timer = setTimeout(() => this.#fail(`no answer to the upgrade within ${handshakeMs / 1000} s`), handshakeMs);
    this.#socket.write(request);
  }

  get open(): boolean {
    return this.#answer === undefined && !this.#over && this.#end === undefined;
  }

  /** Bytes that the system has not taken yet, and datagrams since the server was last heard. */
  get bufferedBytes(): number {
    return this.#socket.writableLength + (this.#datagrams?.unheardBytes ?? 0);
  }

  get refusal(): LinkRefusal | undefined {
    return this.#answer?.refusal;
  }

  send(message: ChecksummedFrame | PreparedMessage | string): void {
    if (typeof message === 'string') {
      this.#send(opcodes.text, Buffer.from(message));
      this.#askWhetherRead();
    } else if (this.open && !this.#isDatagram(message)) {
      this.#socket.write('isText' in message ? writer.prepared(message) : writer.audio(message));
      // What the system took at once may be written over; else the socket still holds it.
      if (this.#socket.writableLength > 0) writer.kept();
    }
  }

  ping(): void {
    if (this.open) this.#datagrams?.asked(false);
    this.#send(opcodes.ping, nothing);
  }

  pong(data: Uint8Array): void {
    this.#send(opcodes.pong, data);
  }

  pause(): void {
    this.#paused = true;
    this.hold();
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.release();
    this.#nextTurn();
  }

  /** Ends at once; no event follows. */
  terminate(): void {
    this.#over = true;
    this.#stop();
    this.#socket.destroy();
  }

  goodbye(): void {
    this.#sayClose(1000, '');
    this.#over = true;
    this.#stop();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), goodbyeMs);
  }

  protected override heardText(bytes: Buffer, begin: number, end: number): void {
    const { clock, afterMessage } = this.#context;
    const nowMs = clock();
    this.#events.message(bytes, begin, end, nowMs, undefined, this);
    afterMessage?.(nowMs);
  }

  protected override heardBinary(_length: number, data: Buffer | undefined): void {
    const { clock, afterMessage } = this.#context;
    const nowMs = clock();
    this.#events.binary(this, data, nowMs, undefined);
    if (data) afterMessage?.(nowMs);
  }

  protected override heardPing(data: Uint8Array): void {
    if (this.#events.ping) this.#events.ping(data);
    else this.#pinged = Buffer.from(data);
  }

  protected override heardPong(): void {
    if (this.#datagrams?.answered()) return;
    this.#events.pong(this.#context.clock(), this);
  }

  /** Answers with the same code and leaves it to the server to end the connection, for a while. */
  protected override heardClose(code: number, reason: string): void {
    const answer = Buffer.alloc(code === 1005 ? 0 : 2);
    if (code !== 1005) answer.writeUInt16BE(code);
    this.#send(opcodes.close, answer);
    this.#end = { code, reason };
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), closeMs).unref();
  }

  protected override broke(code: number, why: string): void {
    this.#sayClose(code, why);
    this.#fail(`${brokenProtocol}: ${why}`, code);
  }

  #isDatagram(message: ChecksummedFrame | PreparedMessage): boolean {
    return this.#datagrams !== undefined && !('isText' in message) && this.#datagrams.send(message);
  }

  /** Frames that follow a message go behind it on the stream until the server has read it. */
  #askWhetherRead(): void {
    if (!this.#datagrams || !this.open) return;
    this.#datagrams.asked(true);
    this.#send(opcodes.ping, nothing);
  }

  #sayClose(code: number, why: string): void {
    const payload = Buffer.from(`  ${why}`.slice(0, 125));
    payload.writeUInt16BE(code);
    this.#send(opcodes.close, payload);
  }

  #send(opcode: number, payload: Uint8Array): void {
    if (this.open) this.#socket.write(writer.message(opcode, payload));
  }

  /** Called with what the socket has read; false: it reads no further until the next turn. */
  #received(length: number): boolean {
    if (this.#over) return false;
    this.#datagrams?.heard();
    if (this.#answer === undefined) this.read(received, length);
    else this.#upgrade(this.#answer, length);
    this.#answerPing();
    // A full buffer: more has come, perhaps without end, and others want their turn.
    if (!this.behind && length < fullChunkBytes) return true;
    this.#nextTurn();
    return false;
  }

  #nextTurn(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      if (this.#over || this.#paused) return;
      this.readOn();
      this.#answerPing();
      if (this.behind) this.#nextTurn();
      else if (!this.#paused) this.#socket.resume();
    });
  }

  /**
   * One answer for all pings of a turn, the newest (RFC 6455, section 5.5.3); none while the server
   * does not read the ones before.
   */
  #answerPing(): void {
    if (this.#pinged === undefined) return;
    if (this.#socket.writableLength < mostUnreadBytes) this.pong(this.#pinged);
    this.#pinged = undefined;
  }

  #upgrade(answer: UpgradeAnswer, length: number): void {
    const refused = answer.refused;
    const state = answer.take(received, length);
    if (state === 'coming') {
      // The rest of a refusal is waited for, but not for long.
      if (answer.refused && !refused) this.#wait(refusalMs, () => this.#fail(answer.end()));
    } else if ('problem' in state) {
      this.#fail(state.problem);
    } else {
      clearTimeout(this.#timer);
      this.#answer = undefined;
      this.#events.opened(this);
      if (state.rest.length > 0) this.read(state.rest);
    }
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #fail(reason: string, code = 1006): void {
    this.#end ??= { code, reason };
    this.#socket.destroy();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#pinged = undefined;
    this.forget();
  }

  #closed(): void {
    if (this.#over) return;
    // What the server said before it went has been read, and waits for its turn.
    this.release();
    while (this.behind && !this.#over) this.readOn();
    if (this.#over) return;
    this.#over = true;
    const refusal = this.#answer?.refused ? this.#answer.end() : '';
    this.#stop();
    const { code, reason } = this.#end ?? { code: 1006, reason: refusal };
    this.#events.closed(code, reason, this);
  }
}

/** The reason of a close with 1002, 1007 or 1009 that is ours begins so. */
export const brokenProtocol = 'the server broke the WebSocket protocol';

/** One for all connections: what it gives is written before the next is made. */
const writer = new WsWriter();
/** Where all connections receive; nothing is kept in it. */
const received = Buffer.allocUnsafeSlow(65_536);
const nothing = new Uint8Array();
const longestHandshakeMs = 10_000;
/** How long the words of a refusal may take to come. */
const refusalMs = 400;
const closeMs = 2000;
/** How long a close frame of ours may take to leave. */
const goodbyeMs = 200;
/** Answers to pings that a server leaves unread, and everything else that it does. */
const mostUnreadBytes = 65_536;
/** TLS gives what it has read in pieces of this size at most, the system up to `received`. */
const fullChunkBytes = 16_384;

function openSocket(url: URL, { tls }: LinkTarget, read: (length: number) => boolean): Duplex {
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (secure ? 443 : 80);
  const options = { host, port, onread: { buffer: received, callback: read } };
  if (!secure) return connect({ ...options, noDelay: true });
  const socket = connectTls({
    ...options,
    ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
    ALPNProtocols: ['http/1.1'],
    ...(tls?.ca && { secureContext: trusting(tls.ca) }),
    ...(tls?.insecure && { rejectUnauthorized: false }),
  });
  // The option of the same name is for plain TCP alone, and a frame would wait for an ack.
  return socket.setNoDelay(true);
}

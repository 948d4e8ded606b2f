import { connect, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { Clock } from '../../clock/wheel.ts';
import type { ChecksummedFrame } from '../../protocol/frame.ts';
import type { Link, LinkEvents, OpenLink } from './link.ts';
import { upgradeRequest } from './websocket-handshake.ts';
import { WsReader } from './websocket-reader.ts';
import { opcodes, WsWriter } from './websocket-writer.ts';

/** Where learners connect: a ws:// or wss:// URL, the bearer token if the server wants one. */
export type LinkTarget = { url: string; token: string | undefined; tls?: TlsOptions | undefined };

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
export function socketLinks(target: LinkTarget, clock: Clock, afterMessage?: (nowMs: number) => void): OpenLink {
  const context = { target, clock, afterMessage };
  return (events) => new WsConnection(context, events);
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
  readonly #socket: Socket;
  readonly #problem: (head: string) => string | undefined;
  readonly #timer: NodeJS.Timeout;
  /** The answer to the upgrade, while it comes. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #end: { code: number; reason: string } | undefined;
  #over = false;

  constructor(context: ConnectionContext, events: LinkEvents) {
    super();
    this.#context = context;
    this.#events = events;
    const { target } = context;
    const url = new URL(target.url);
    const { request, problem } = upgradeRequest(url, target.token);
    this.#problem = problem;
    this.#socket = openSocket(url, target, (length) => this.#received(length));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#end ??= { code: 1006, reason: error.message || error.code || error.name };
    });
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('close', () => this.#closed());
    this.#timer = setTimeout(() => {
      this.#end ??= { code: 1006, reason: `no answer to the upgrade within ${handshakeMs / 1000} s` };
      this.#socket.destroy();
    }, handshakeMs);
    this.#socket.write(request);
  }

  get open(): boolean {
    return this.#head === undefined && !this.#over && this.#end === undefined;
  }

  /** Bytes that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  send(message: ChecksummedFrame | string): void {
    if (typeof message === 'string') {
      this.#send(opcodes.text, Buffer.from(message));
    } else if (this.open) {
      this.#socket.write(writer.audio(message));
      // What the system took at once may be written over; else the socket still holds it.
      if (this.#socket.writableLength > 0) writer.kept();
    }
  }

  ping(): void {
    this.#send(opcodes.ping, nothing);
  }

  pong(data: Uint8Array): void {
    this.#send(opcodes.pong, data);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends at once; no event follows. */
  terminate(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  protected override heardText(bytes: Buffer, begin: number, end: number): void {
    const { clock, afterMessage } = this.#context;
    const nowMs = clock();
    this.#events.message(bytes, begin, end, nowMs, undefined, this);
    afterMessage?.(nowMs);
  }

  protected override heardBinary(): void {
    this.#events.binary(this);
  }

  protected override heardPing(data: Uint8Array): void {
    if (this.#events.ping) this.#events.ping(data);
    else this.pong(data);
  }

  protected override heardPong(): void {
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
    const payload = Buffer.from(`  ${why}`.slice(0, 125));
    payload.writeUInt16BE(code);
    this.#send(opcodes.close, payload);
    this.#end = { code: 1006, reason: `the server broke the WebSocket protocol: ${why}` };
    this.#socket.destroy();
  }

  #send(opcode: number, payload: Uint8Array): void {
    if (this.open) this.#socket.write(writer.message(opcode, payload));
  }

  #received(length: number): boolean {
    if (this.#over) return false;
    if (this.#head === undefined) this.read(received, length);
    else this.#readHead(Buffer.concat([this.#head, received.subarray(0, length)]));
    return true;
  }

  #readHead(head: Buffer): void {
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 && head.length <= maxHeadBytes) {
      this.#head = head;
      return;
    }
    const problem = end < 0 ? 'the answer to the upgrade has no end' : this.#problem(head.toString('latin1', 0, end));
    if (problem !== undefined) {
      this.#end = { code: 1006, reason: problem };
      this.#socket.destroy();
      return;
    }
    clearTimeout(this.#timer);
    this.#head = undefined;
    this.#events.opened(this);
    if (end + 4 < head.length) this.read(head.subarray(end + 4));
  }

  #closed(): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#over = true;
    const { code, reason } = this.#end ?? { code: 1006, reason: '' };
    this.#events.closed(code, reason, this);
  }
}

/** One for all connections: what it gives is written before the next is made. */
const writer = new WsWriter();
/** Where all connections receive; nothing is kept in it. */
const received = Buffer.allocUnsafeSlow(65_536);
const nothing = new Uint8Array();
const handshakeMs = 10_000;
const closeMs = 2000;
const maxHeadBytes = 16_384;

function openSocket(url: URL, { tls }: LinkTarget, read: (length: number) => boolean): Socket {
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (secure ? 443 : 80);
  const options = { host, port, noDelay: true, onread: { buffer: received, callback: read } };
  if (!secure) return connect(options);
  return connectTls({
    ...options,
    ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
    ALPNProtocols: ['http/1.1'],
    ...(tls?.ca && { ca: [...rootCertificates, tls.ca] }),
    ...(tls?.insecure && { rejectUnauthorized: false }),
  });
}

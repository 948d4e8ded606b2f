import { connect, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { ChecksummedFrame } from '../protocol/frame.ts';
import type { LinkTarget } from './socket-link.ts';
import { upgradeRequest } from './ws-handshake.ts';
import { WsReader } from './ws-reader.ts';
import { opcodes, WsWriter } from './ws-writer.ts';

export type WsConnectionEvents = {
  opened(): void;
  text(text: string): void;
  binary(bytes: number): void;
  pinged(data: Uint8Array): void;
  ponged(): void;
  /** The last event. 1006 and the system's or our reason when it did not end with a close frame. */
  closed(code: number, reason: string): void;
};

/**
 * A WebSocket client for one thing: sending very many small frames from one process. Next to the ws library it makes one
 * write of one buffer a frame, reads into one buffer that all connections share, and keeps nothing of a stream's machinery
 * in between; bench/load measures what that is worth.
 */
export class WsConnection {
  readonly #events: WsConnectionEvents;
  readonly #socket: Socket;
  readonly #reader: WsReader;
  readonly #problem: (head: string) => string | undefined;
  readonly #timer: NodeJS.Timeout;
  /** The answer to the upgrade, while it comes. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #end: { code: number; reason: string } | undefined;
  #over = false;

  constructor(target: LinkTarget, events: WsConnectionEvents) {
    this.#events = events;
    const url = new URL(target.url);
    const { request, problem } = upgradeRequest(url, target.token);
    this.#problem = problem;
    this.#reader = new WsReader({
      text: (text) => events.text(text),
      binary: (bytes) => events.binary(bytes),
      ping: (data) => events.pinged(data),
      pong: () => events.ponged(),
      close: (code, reason) => this.#closeFrame(code, reason),
      broken: (code, why) => this.#broken(code, why),
    });
    this.#socket = openSocket(url, target, (length) => this.#read(length));
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

  sendAudio(frame: ChecksummedFrame): void {
    if (!this.open) return;
    this.#socket.write(writer.audio(frame));
    // What the system took at once may be written over; else the socket still holds it.
    if (this.#socket.writableLength > 0) writer.kept();
  }

  sendText(text: string): void {
    this.#send(opcodes.text, Buffer.from(text));
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

  #send(opcode: number, payload: Uint8Array): void {
    if (this.open) this.#socket.write(writer.message(opcode, payload));
  }

  #read(length: number): boolean {
    if (this.#over) return false;
    if (this.#head === undefined) this.#reader.read(received, length);
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
    this.#events.opened();
    if (end + 4 < head.length) this.#reader.read(head.subarray(end + 4));
  }

  /** Answers with the same code and leaves it to the server to end the connection, for a while. */
  #closeFrame(code: number, reason: string): void {
    const answer = Buffer.alloc(code === 1005 ? 0 : 2);
    if (code !== 1005) answer.writeUInt16BE(code);
    this.#send(opcodes.close, answer);
    this.#end = { code, reason };
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), closeMs).unref();
  }

  #broken(code: number, why: string): void {
    const payload = Buffer.from(`  ${why}`.slice(0, 125));
    payload.writeUInt16BE(code);
    this.#send(opcodes.close, payload);
    this.#end = { code: 1006, reason: `the server broke the WebSocket protocol: ${why}` };
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), closeMs).unref();
  }

  #closed(): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#over = true;
    const { code, reason } = this.#end ?? { code: 1006, reason: '' };
    this.#events.closed(code, reason);
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

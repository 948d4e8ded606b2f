import { WebSocket } from 'ws';
import type { ClientMessageInput, ReferenceInput } from '../protocol/client-messages.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import type { Random } from '../sim/random.ts';
import { backoffMs } from './backoff.ts';
import { Outbox } from './outbox.ts';
import type { Clock, Timers } from './wheel.ts';

export type ReadyEvent = Extract<ServerEvent, { type: 'ready' }>;
type StartInput = Omit<Extract<ClientMessageInput, { type: 'start' }>, 'type' | 'protocol'>;

/** Why a session is over. `refused`: it never became ready; `lost`: it was, and could not be resumed. */
export type ClientEnd = { outcome: 'closed' | 'refused' | 'lost'; code: number; reason: string };

export type ClientOptions = {
  url: string;
  token?: string;
  start: StartInput;
  clock: Clock;
  timers: Timers;
  random: Random;
  /** Without one, how long to go on trying to resume is the server's `resume_ttl_ms`. */
  giveUpAfterMs?: number;
  onEvent(event: ServerEvent, receivedMs: number): void;
  /** A message that is not a speechfb.v1 event. */
  onGarbage(message: string): void;
  onDropped?(atMs: number): void;
  onEnd(end: ClientEnd): void;
};

/**
 * One session of `speechfb.v1` as an app holds it: audio handed over before `ready`, or while the socket is down, is kept
 * and sent in order; a lost socket is resumed with backoff, and what the server did not acknowledge is sent again.
 */
export class StreamClient {
  readonly #options: ClientOptions;
  readonly #outbox: Outbox;
  #socket: WebSocket | undefined;
  #ready: ReadyEvent | undefined;
  #connected = false;
  #lastEventId = 0;
  /** Control messages that wait for a connection, each with the frames that must go before it. */
  #waiting: { afterSeq: number; text: string }[] = [];
  #attempt = 0;
  #droppedAtMs: number | undefined;
  #ended = false;
  #closing = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.start.audio.encoding);
    this.#open();
  }

  get sent(): number {
    return this.#outbox.sent;
  }

  get unacked(): number {
    return this.#outbox.unacked;
  }

  get resent(): number {
    return this.#outbox.resent;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** One frame of PCM in the encoding of `start`. */
  sendAudio(payload: Uint8Array): void {
    const message = this.#outbox.add(payload);
    if (this.#connected) this.#socket?.send(message);
  }

  finalize(marker: string): void {
    this.#sendControl({ type: 'finalize', marker });
  }

  nextUtterance(reference: ReferenceInput): void {
    this.#sendControl({ type: 'next_utterance', reference });
  }

  /** Says goodbye; `onEnd` follows when the server has closed. */
  close(): void {
    this.#closing = true;
    if (!this.#connected) return this.abort('closed before it was connected');
    this.#sendControl({ type: 'close', last_seq: this.#outbox.sent - 1 });
  }

  /** Ends at once without a word. */
  abort(reason: string): void {
    this.#end({ outcome: this.#ready ? 'lost' : 'refused', code: 1006, reason });
  }

  /** Cuts the socket as a lost network does; the client then resumes by itself. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Round trip of a WebSocket ping in ms, by this side's clock; never answered when the socket drops first. */
  ping(onPong: (roundTripMs: number) => void): void {
    const socket = this.#socket;
    if (!this.#connected || !socket) return;
    const sentMs = this.#options.clock();
    socket.once('pong', () => onPong(this.#options.clock() - sentMs));
    socket.ping();
  }

  #open(): void {
    const { url, token, clock } = this.#options;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, 'speechfb.v1', { perMessageDeflate: false, handshakeTimeout: 10_000, headers });
    this.#socket = socket;
    let failure = '';
    socket.on('open', () => socket.send(JSON.stringify(this.#greeting())));
    socket.on('message', (data, binary) => {
      const receivedMs = clock();
      if (socket === this.#socket) this.#read(binary ? undefined : String(data), receivedMs);
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code, reason) => {
      if (socket === this.#socket) this.#closed(code, failure || String(reason));
    });
  }

  #greeting(): ClientMessageInput {
    if (!this.#ready) return { type: 'start', protocol: 'speechfb.v1', ...this.#options.start };
    const { session_id, resume_token } = this.#ready;
    return { type: 'resume', session_id, resume_token, last_event_id: this.#lastEventId };
  }

  #read(text: string | undefined, receivedMs: number): void {
    const event = text === undefined ? undefined : parseEvent(text);
    if (!event) return this.#options.onGarbage(text?.slice(0, 80) ?? 'a binary message');
    if (event.event_id > this.#lastEventId) this.#lastEventId = event.event_id;
    if (event.type === 'ready') this.#becomeReady(event);
    if (event.type === 'ack') this.#outbox.acknowledge(event.next_seq);
    this.#options.onEvent(event, receivedMs);
  }

  #becomeReady(event: ReadyEvent): void {
    this.#ready = event;
    this.#connected = true;
    this.#attempt = 0;
    this.#droppedAtMs = undefined;
    const frames = event.resumed ? this.#outbox.retransmit(event.next_seq) : this.#outbox.kept();
    let seq = this.#outbox.sent - frames.length;
    for (const frame of frames) {
      this.#flushControl(seq);
      this.#socket?.send(frame);
      seq++;
    }
    this.#flushControl(seq);
  }

  #sendControl(message: ClientMessageInput): void {
    const text = JSON.stringify(message);
    if (this.#connected) this.#socket?.send(text);
    else this.#waiting.push({ afterSeq: this.#outbox.sent, text });
  }

  #flushControl(seq: number): void {
    while (this.#waiting[0] && this.#waiting[0].afterSeq <= seq) this.#socket?.send(this.#waiting.shift()!.text);
  }

  #closed(code: number, reason: string): void {
    const { clock, timers, random } = this.#options;
    this.#connected = false;
    if (this.#ended) return;
    const said = { code, reason };
    if (!this.#ready) return this.#end({ outcome: 'refused', ...said });
    if (code === 1000 || (this.#closing && code === 1001)) return this.#end({ outcome: 'closed', ...said });
    if (code >= 4000 || code === 1001) return this.#end({ outcome: 'lost', ...said });
    if (this.#droppedAtMs === undefined) {
      this.#droppedAtMs = clock();
      this.#options.onDropped?.(this.#droppedAtMs);
    }
    const giveUpAfterMs = this.#options.giveUpAfterMs ?? this.#ready.resume_ttl_ms;
    const retryAtMs = clock() + backoffMs(this.#attempt++, random);
    if (retryAtMs > this.#droppedAtMs + giveUpAfterMs) return this.#end({ outcome: 'lost', ...said });
    timers.at(retryAtMs, () => {
      if (!this.#ended) this.#open();
    });
  }

  #end(end: ClientEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    this.#socket?.terminate();
    this.#options.onEnd(end);
  }
}

function parseEvent(text: string): ServerEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isEvent =
      typeof value === 'object' &&
      value !== null &&
      'type' in value &&
      typeof value.type === 'string' &&
      'event_id' in value &&
      typeof value.event_id === 'number' &&
      'audio_ms' in value &&
      typeof value.audio_ms === 'number';
    return isEvent ? (value as ServerEvent) : undefined;
  } catch {
    return undefined;
  }
}

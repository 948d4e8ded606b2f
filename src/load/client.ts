import { WebSocket } from 'ws';
import type { ClientMessageInput, ReferenceInput } from '../protocol/client-messages.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import type { Random } from '../sim/random.ts';
import { backoffMs } from './backoff.ts';
import { Outbox } from './outbox.ts';
import type { Clock, Timers } from './wheel.ts';

export type ReadyEvent = Extract<ServerEvent, { type: 'ready' }>;
type StartInput = Omit<Extract<ClientMessageInput, { type: 'start' }>, 'type' | 'protocol'>;

type Control = { type: ClientMessageInput['type']; text: string; utterance: number; afterSeq: number };

/** Why a session is over. `refused`: it never became ready; `lost`: it was, and could not be resumed. */
export type ClientEnd = { outcome: 'closed' | 'refused' | 'lost'; code: number; reason: string };

export type ClientOptions = {
  url: string;
  token?: string;
  start: StartInput;
  clock: Clock;
  timers: Timers;
  random: Random;
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
  /** Control messages that the server has not been seen to act on. */
  #controls: Control[] = [];
  /** Utterances begun, counted from 0, and the server's id of the first. */
  #utterance = 0;
  #firstUtteranceId = 1;
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
    this.#utterance += 1;
    this.#sendControl({ type: 'next_utterance', reference });
  }

  /** Says goodbye; `onEnd` follows when the server has closed. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#connected) this.#sendControl({ type: 'close', last_seq: this.#outbox.sent - 1 });
    else this.abort('closed while it was not connected');
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
      failure = error.message || ('code' in error ? String(error.code) : error.name);
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
    if (!event) {
      this.#options.onGarbage(text?.slice(0, 80) ?? 'a binary message');
      return;
    }
    if (event.event_id > this.#lastEventId) this.#lastEventId = event.event_id;
    if (event.type === 'ready') this.#becomeReady(event);
    if (event.type === 'ack') this.#outbox.acknowledge(event.next_seq);
    if (event.type === 'utterance_final') this.#settleControls(event.utterance_id + 1);
    this.#options.onEvent(event, receivedMs);
  }

  /** Sends what the server lacks: frames from where it wants to go on, and control messages in their places between. */
  #becomeReady(event: ReadyEvent): void {
    if (!this.#ready) this.#firstUtteranceId = event.utterance_id;
    else this.#settleControls(event.utterance_id);
    this.#ready = event;
    this.#connected = true;
    this.#attempt = 0;
    this.#droppedAtMs = undefined;
    const frames = event.resumed ? this.#outbox.retransmit(event.next_seq) : this.#outbox.kept();
    const controls = [...this.#controls];
    let seq = this.#outbox.sent - frames.length;
    const sendControlsUpTo = (limit: number) => {
      while (controls[0] && controls[0].afterSeq <= limit) this.#socket?.send(controls.shift()!.text);
    };
    for (const frame of frames) {
      sendControlsUpTo(seq);
      this.#socket?.send(frame);
      seq++;
    }
    sendControlsUpTo(seq);
  }

  #sendControl(message: ClientMessageInput): void {
    const text = JSON.stringify(message);
    this.#controls.push({ type: message.type, text, utterance: this.#utterance, afterSeq: this.#outbox.sent });
    if (this.#connected) this.#socket?.send(text);
  }

  /** Forgets the control messages that led to this utterance: the server has acted on them. */
  #settleControls(utteranceId: number): void {
    const reached = utteranceId - this.#firstUtteranceId;
    this.#controls = this.#controls.filter(
      ({ type, utterance }) => utterance > reached || (utterance === reached && type !== 'next_utterance'),
    );
  }

  #closed(code: number, reason: string): void {
    const { clock, timers, random } = this.#options;
    this.#connected = false;
    if (this.#ended) return;
    const said = { code, reason };
    const outcome = this.#outcomeOf(code);
    if (outcome) {
      this.#end({ outcome, ...said });
      return;
    }
    if (this.#droppedAtMs === undefined) {
      this.#droppedAtMs = clock();
      this.#options.onDropped?.(this.#droppedAtMs);
    }
    const retryAtMs = clock() + backoffMs(this.#attempt++, random);
    if (retryAtMs > this.#droppedAtMs + (this.#ready?.resume_ttl_ms ?? 0)) {
      this.#end({ outcome: 'lost', ...said });
      return;
    }
    timers.at(retryAtMs, () => {
      if (!this.#ended) this.#open();
    });
  }

  /** What a close means; undefined when the session can be resumed. */
  #outcomeOf(code: number): ClientEnd['outcome'] | undefined {
    if (!this.#ready) return 'refused';
    if (code === 1000 || (this.#closing && code === 1001)) return 'closed';
    return code >= 4000 || code === 1001 ? 'lost' : undefined;
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

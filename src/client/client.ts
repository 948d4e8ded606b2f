import { randomUUID } from 'node:crypto';
import { backoffMs } from '../backoff.ts';
import type { ClientMessageInput, ReferenceInput } from '../protocol/client-messages.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import type { EventProblem } from '../protocol/server-schema.ts';
import type { ClientOptions } from './client-options.ts';
import { type ClientEnd, outcomeOfClose } from './close-outcome.ts';
import { Controls } from './controls.ts';
import { EventOrder } from './event-order.ts';
import { parseEvent } from './events.ts';
import type { SoundFrames } from './frames.ts';
import { Handover } from './handover.ts';
import { Pulse } from './heartbeat.ts';
import { Inbox, type ReadMessage } from './inbox.ts';
import type { Link, LinkEvents, LinkRefusal, UpgradeHints } from './link/link.ts';
import { ClientOutbox } from './outbox.ts';

type GoAway = Extract<ServerEvent, { type: 'go_away' }>;
export type ReadyEvent = Extract<ServerEvent, { type: 'ready' }>;

/**
 * One session of `speechfb.v1` as an app holds it: audio handed over before `ready`, or while the
 * socket is down, is kept and sent in order; a lost socket is resumed with backoff, and what the
 * server did not acknowledge is sent again. A socket that has gone silent is given up (see Pulse).
 */
export class StreamClient implements LinkEvents {
  readonly #options: ClientOptions;
  readonly #dropAboveBytes: number;
  readonly #outbox: ClientOutbox;
  readonly #controls = new Controls();
  readonly #handover = new Handover();
  readonly #pulse = new Pulse();
  readonly #order = new EventOrder();
  /** Present with `batchedReading`: events are read in batches. */
  readonly #inbox: Inbox | undefined;
  readonly #idempotencyKey = randomUUID();
  #link: Link | undefined;
  #ready: ReadyEvent | undefined;
  #connected = false;
  #lastEventId = 0;
  #utterancesBegun = 0;
  #attempt = 0;
  #droppedAtMs: number | undefined;
  #greeted = false;
  /** Where the server said that the session goes on; undefined: where it began. */
  #at: string | undefined;
  /** Servers that were not asked yet whether they take the session. */
  #unasked: number;
  /** What the server last said of another attempt. */
  #refusal: LinkRefusal | undefined;
  /** The server has too many sessions, and this one is to come back. */
  #sentAway: { goAway: GoAway; atMs: number } | undefined;
  #ended = false;
  #closing = false;
  /** True while `open()` runs: its first events arrive before `#link` is set. */
  #opening = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#unasked = options.otherServers ?? 0;
    if (options.batchedReading) this.#inbox = new Inbox(this.#read);
    this.#dropAboveBytes = options.dropAboveBytes ?? Number.POSITIVE_INFINITY;
    this.#outbox = new ClientOutbox(options.start.audio.encoding);
    this.#open();
  }

  get sent(): number {
    return this.#outbox.sent;
  }

  get lost(): number {
    return this.#outbox.lost;
  }

  get unacked(): number {
    return this.#outbox.unacked;
  }

  get lostUnacked(): number {
    return this.#outbox.lostUnacked;
  }

  get resent(): number {
    return this.#outbox.resent;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Since when it says nothing more because the server wants it to go. */
  get leftMs(): number | undefined {
    return this.#sentAway?.atMs;
  }

  /** The server has taken a connection, whatever it said then. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /**
   * A frame of a recording in the encoding of `start`. False: the app dropped it, because too much
   * waits to be sent.
   */
  sendAudio(sounds: SoundFrames, index: number): boolean {
    if (this.#connected && this.#link!.bufferedBytes > this.#dropAboveBytes) {
      this.#outbox.skip(sounds.bytesAFrame);
      return false;
    }
    const message = this.#outbox.add(sounds, index);
    if (this.#connected) this.#link!.send(message);
    return true;
  }

  /**
   * A frame that the app numbers and then loses: it goes nowhere, and the server finds it missing.
   */
  loseAudio(sounds: SoundFrames, index: number): void {
    this.#outbox.lose(sounds, index);
  }

  /**
   * Lets time pass on the sample clock without sending, as when voice activity detection holds the
   * sound back.
   */
  skipAudio({ bytesAFrame }: SoundFrames): void {
    this.#outbox.skip(bytesAFrame);
  }

  finalize(marker: string): void {
    this.#sendControl({ type: 'finalize', marker });
  }

  nextUtterance(reference: ReferenceInput): void {
    this.#controls.beginUtterance();
    this.#utterancesBegun += 1;
    this.#handover.begun(this.#outbox.next);
    this.#sendControl({ type: 'next_utterance', reference });
  }

  /** Says goodbye; `onEnd` follows when the server has closed. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#connected) this.#sendControl({ type: 'close', last_seq: this.#outbox.sent - 1 });
    else this.abort('closed while it was not connected');
  }

  /** To be called twice a second or so: reads what came a while ago and still waits to be read. */
  tick(nowMs: number): void {
    this.#inbox?.tick(nowMs);
  }

  /** Ends at once without a word. */
  abort(reason: string): void {
    this.#inbox?.readAll();
    this.#end({ outcome: this.#ready ? 'lost' : 'refused', code: 1006, reason });
  }

  /** Cuts the socket as a lost network does; the client then resumes by itself. */
  cut(): void {
    this.#inbox?.readAll();
    if (!this.#link || this.#ended) return;
    this.#link.terminate();
    this.#lose('the socket was cut', this.#options.clock());
  }

  /**
   * To be called each second or so: asks the server for a sign of life, and gives up a socket that
   * shows none.
   */
  checkPulse(): void {
    if (this.#ended || !this.#link) return;
    const nowMs = this.#options.clock();
    const silentMs = this.#pulse.silentMs(nowMs);
    if (silentMs !== undefined) {
      this.#link.terminate();
      this.#lose(`the server was silent for ${Math.round(silentMs / 1000)} s`, nowMs);
    } else if (this.#connected && this.#pulse.ask(nowMs)) {
      this.#link.ping();
    }
  }

  /**
   * A link's call, as are those below. Events of a link that is no longer ours are none of ours.
   */
  opened(from: Link): void {
    if (!this.#isOurs(from)) return;
    this.#greeted = true;
    from.send(JSON.stringify(this.#greeting()));
  }

  message(
    bytes: Buffer,
    begin: number,
    end: number,
    receivedMs: number,
    downlinkMs: number | undefined,
    from: Link,
  ): void {
    if (!this.#isOurs(from)) return;
    this.#pulse.heard(receivedMs);
    const { sent } = this.#outbox;
    if (this.#inbox) this.#inbox.add(bytes, begin, end, receivedMs, downlinkMs, sent);
    else this.#read(bytes, begin, end, receivedMs, downlinkMs, sent);
  }

  binary(from: Link): void {
    if (this.#isOurs(from)) this.#options.onBadMessage(binaryMessage);
  }

  pong(receivedMs: number, from: Link): void {
    if (!this.#isOurs(from)) return;
    this.#inbox?.readAll();
    const roundTripMs = this.#pulse.answered(receivedMs);
    if (roundTripMs !== undefined) this.#options.onRoundTrip?.(roundTripMs);
  }

  closed(code: number, reason: string, from: Link): void {
    if (!this.#isOurs(from)) return;
    this.#inbox?.readAll();
    const outcome = outcomeOfClose(code, this.#ready !== undefined, this.#closing);
    // A gateway that cannot take a session up now may be able to soon, or another one may.
    const isPutOff = !this.#connected && this.#ready !== undefined && this.#refusal?.retryable === true;
    if (isPutOff) this.#lose(reason, this.#options.clock(), this.#refusal?.retryAfterMs);
    else if (this.#sentAway && outcome) this.#endSentAway(this.#sentAway.goAway, code, reason);
    else if (outcome === 'refused' && this.#asksAnother(from)) this.#open();
    else if (outcome === 'refused')
      this.#end({ outcome, code, reason, ...(this.#refusal ?? from.refusal ?? { retryable: true }) });
    else if (outcome) this.#end({ outcome, code, reason });
    else this.#lose(reason, this.#options.clock());
  }

  died(reason: string, atMs: number, retryAfterMs: number | undefined, from: Link): void {
    if (this.#isOurs(from)) this.#lose(reason, atMs, retryAfterMs);
  }

  carried(firstSample: number, atMs: number, lateMs: number): void {
    this.#options.onCarried?.(firstSample, atMs, lateMs);
  }

  /** Whether another server may take a session that this one did not even hear of. */
  #asksAnother({ refusal }: Link): boolean {
    if (this.#closing || this.#greeted || this.#unasked === 0 || refusal?.retryable === false) return false;
    this.#unasked -= 1;
    return true;
  }

  #isOurs(link: Link): boolean {
    return link === this.#link || this.#opening;
  }

  #open(): void {
    this.#pulse.begin(this.#options.clock());
    this.#order.begin();
    this.#refusal = undefined;
    this.#opening = true;
    // Where it was sent first, then where it began, in turns: both may be gone.
    const at = this.#attempt % 2 === 0 ? this.#at : undefined;
    this.#link = this.#options.open(this, this.#hints(), at);
    this.#opening = false;
  }

  #hints(): UpgradeHints {
    const moves = 'yes';
    if (this.#ready) return { resume: this.#ready.session_id, moves };
    const { lane, return_ticket: ticket } = this.#options.start;
    return { moves, ...(lane === 'batch' && { lane }), ...(ticket !== undefined && { ticket }) };
  }

  #greeting(): ClientMessageInput {
    if (!this.#ready) {
      const idempotency_key = this.#idempotencyKey;
      return { type: 'start', protocol: 'speechfb.v1', idempotency_key, ...this.#options.start };
    }
    const { session_id, resume_token, region } = this.#ready;
    const replay = this.#handover.replay(this.#outbox.keptFrom);
    const last_event_id = this.#lastEventId;
    const place = region === undefined ? {} : { region };
    return { type: 'resume', session_id, resume_token, last_event_id, ...place, ...(replay && { replay }) };
  }

  readonly #read: ReadMessage = (bytes, begin, end, receivedMs, downlinkMs, framesSent) => {
    const event = parseEvent(bytes, begin, end);
    if ('problem' in event) return this.#options.onBadMessage(event);
    const wrong = this.#order.check(event, framesSent, this.#utterancesBegun);
    if (wrong) return this.#options.onBadMessage(wrong);
    if (event.event_id > this.#lastEventId) this.#lastEventId = event.event_id;
    if (event.type === 'ready') this.#becomeReady(event);
    if (event.type === 'error') {
      this.#refusal = { retryable: event.retryable, retryAfterMs: event.retry_after_ms ?? undefined };
    }
    if (event.type === 'go_away' && event.reason === 'overload') this.#leave(event);
    this.#handover.heard(event);
    if (event.type === 'ack') this.#outbox.acknowledge(event.next_seq, this.#handover.keepFrom(event.next_seq));
    if (event.type === 'utterance_final') this.#controls.settled(this.#handover.settled);
    this.#options.onEvent(event, receivedMs, downlinkMs, framesSent);
    if (event.type === 'moving') this.#move(event);
  };

  /** Goes on where the server says, at once. */
  #move({ resume_at, token }: Extract<ServerEvent, { type: 'moving' }>): void {
    if (this.#ready && token !== null) this.#ready = { ...this.#ready, resume_token: token };
    this.#at = resume_at ?? undefined;
    this.#link?.goodbye();
    this.#lose('the server moves the session', this.#options.clock(), 0);
    this.#attempt = 0;
  }

  /** Says that it has heard: its last frames are acknowledged, and the finals come. */
  #leave(event: GoAway): void {
    this.#sentAway = { goAway: event, atMs: this.#sentAway?.atMs ?? this.#options.clock() };
    this.close();
  }

  #endSentAway({ retry_after_ms, return_ticket }: GoAway, code: number, reason: string): void {
    const retryAfterMs = retry_after_ms ?? undefined;
    const returnTicket = return_ticket ?? undefined;
    this.#end({ outcome: 'sent_away', code, reason, retryable: true, retryAfterMs, returnTicket });
  }

  /**
   * Sends what the server lacks: frames from where it wants to go on, and control messages in their
   * places between.
   */
  #becomeReady(event: ReadyEvent): void {
    if (this.#ready) this.#controls.resumedAt(event.utterance_id);
    else {
      this.#controls.firstUtteranceIs(event.utterance_id);
      this.#handover.firstUtteranceIs(event.utterance_id);
    }
    this.#ready = event;
    this.#connected = true;
    this.#attempt = 0;
    this.#droppedAtMs = undefined;
    const frames = event.resumed ? this.#outbox.retransmit(event.next_seq) : this.#outbox.kept();
    const controls = this.#controls.pending();
    const sendControlsUpTo = (limit: number) => {
      while (controls[0] && controls[0].afterSeq <= limit) this.#link?.send(controls.shift()!.text);
    };
    for (const frame of frames) {
      sendControlsUpTo(frame.seq);
      this.#link?.send(frame);
    }
    sendControlsUpTo(this.#outbox.sent);
  }

  #sendControl(message: ClientMessageInput): void {
    const text = this.#controls.add(message, this.#outbox.sent);
    if (this.#connected) this.#link?.send(text);
  }

  /**
   * The link is gone, and not because the server wanted it so: tries again for as long as there is
   * something to resume.
   */
  #lose(reason: string, atMs: number, retryAfterMs?: number): void {
    this.#inbox?.readAll();
    const { clock, timers, random } = this.#options;
    this.#connected = false;
    this.#link = undefined;
    if (this.#ended) return;
    if (this.#droppedAtMs === undefined) {
      this.#droppedAtMs = atMs;
      if (this.#ready) this.#options.onDropped?.(atMs);
    }
    const retryAtMs = Math.max(clock(), atMs) + (retryAfterMs ?? backoffMs(this.#attempt, random));
    this.#attempt += 1;
    if (retryAtMs > this.#droppedAtMs + (this.#ready?.resume_ttl_ms ?? startPatienceMs)) {
      this.#end({ outcome: this.#ready ? 'lost' : 'refused', code: 1006, reason });
      return;
    }
    timers.at(retryAtMs, () => {
      if (!this.#ended) this.#open();
    });
  }

  #end(end: ClientEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    this.#link?.terminate();
    this.#options.onEnd(end);
  }
}

const binaryMessage: EventProblem = { kind: 'binary', problem: 'a binary message; every event is a text' };

/** How long an app that never got `ready` keeps trying, ms. */
const startPatienceMs = 30_000;

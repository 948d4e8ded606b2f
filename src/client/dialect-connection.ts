import type { Clock } from '../clock/wheel.ts';
import type { Dialect, Heard, HeardError, HeardText, SessionInput, Speaker } from '../dialects/dialect.ts';
import { protocolOf } from '../dialects/likely-protocol.ts';
import type { EncodedSound, Outgoing, OutgoingMessage } from '../dialects/sound.ts';
import type { Link, LinkEvents, LinkRefusal, OpenLink, PreparedMessage } from './link/link.ts';
import { SampleClock } from './sample-clock.ts';

/** When a message came, what its way down took where that is known, and frames sent by then. */
export type Received = { atMs: number; downlinkMs: number | undefined; framesSent: number };

/** Text or progress of an utterance of the session, its sound counted on the app's clock. */
export type HeardOfSession = HeardText | Extract<Heard, { is: 'ack' }>;

/** What one connection reports to the session that holds it. */
export type DialectEvents = {
  ready(atMs: number): void;
  heard(heard: HeardOfSession, received: Received, from: DialectConnection): void;
  error(error: HeardError): void;
  /** `problem` says whose the message looks like; `message` as it came, cut where it is long. */
  notUnderstood(problem: string, message: string): void;
  /**
   * Each message, or the end of the connection in words where that means something, with what it
   * was taken for; for those who look at a protocol.
   */
  message?(message: string | Uint8Array, heard: readonly Heard[], atMs: number): void;
  carried(frame: number, atMs: number, lateMs: number): void;
  roundTrip(ms: number): void;
  closed(code: number, reason: string, connection: DialectConnection): void;
};

export type DialectConnectionOptions = {
  dialect: Dialect;
  session: SessionInput;
  open: OpenLink;
  frameMs: number;
  clock: Clock;
  /** Frames of the session before this connection; lost and held back ones count too. */
  firstFrame: number;
  /** The place in the session of the connection's first utterance. */
  firstUtterance: number;
  events: DialectEvents;
};

/**
 * One connection to a server of another dialect. What the app says before the server is ready waits
 * and goes out in order.
 */
export class DialectConnection implements LinkEvents {
  readonly #options: DialectConnectionOptions;
  readonly #speaker: Speaker;
  readonly #clock: SampleClock;
  /** Undefined until `open` has returned, or told of its first event. */
  #link: Link | undefined;
  /** What the app wanted to do before it could. */
  #waiting: (() => void)[] | undefined = [];
  #frames: number;
  #sent = 0;
  #lastSentMs: number;
  #lastHeardMs = Number.NEGATIVE_INFINITY;
  /** When the newest utterance was over. */
  #spokenMs = Number.POSITIVE_INFINITY;
  #pingedMs: number | undefined;
  #opened = false;
  #over = false;
  /** The newest thing that the server had against us. */
  error: HeardError | undefined;
  /** It has told something of the sound. */
  answered = false;
  /** Utterances of it that are final. */
  finals = 0;

  constructor(options: DialectConnectionOptions) {
    const { dialect, session, open, firstFrame, frameMs, clock } = options;
    this.#options = options;
    this.#speaker = dialect.speaker(session);
    this.#frames = firstFrame;
    this.#clock = new SampleClock(firstFrame * frameMs);
    this.#lastSentMs = clock();
    const link = open(this);
    this.#link ??= link;
  }

  get connected(): boolean {
    return this.#opened && !this.#over;
  }

  get over(): boolean {
    return this.#over;
  }

  get ready(): boolean {
    return this.#waiting === undefined;
  }

  /** Bytes that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0;
  }

  /** What the server said of another attempt when it would open no connection. */
  get refusal(): LinkRefusal | undefined {
    return this.#link?.refusal;
  }

  /** Sends frame `index`, or keeps it until the server is ready. */
  audio(sound: EncodedSound, index: number): void {
    const place = this.#frames++;
    this.#clock.sent(this.#options.frameMs);
    if (this.#waiting) this.#waiting.push(() => this.#say(this.#speaker.audio(sound, index), place));
    else this.#say(this.#speaker.audio(sound, index), place);
  }

  /** A frame that is due and never sent. */
  skip(): void {
    this.#frames += 1;
    this.#clock.skipped(this.#options.frameMs);
  }

  utteranceOver(): void {
    this.#spokenMs = this.#options.clock();
    this.#tell(() => this.#speaker.utteranceOver());
  }

  next(text: string): void {
    this.#tell(() => this.#speaker.next({ text }));
  }

  /** Lets the dialect say that it is still there. */
  quiet(nowMs: number): void {
    if (!this.ready || this.#over) return;
    const quietMs = nowMs - this.#lastSentMs;
    if (quietMs >= leastQuietMs) this.#sayAll(this.#speaker.quiet(quietMs));
    if (nowMs - Math.max(this.#spokenMs, this.#lastHeardMs) < answerMs) return;
    const heard = this.#speaker.unanswered?.();
    const atMs = Math.max(this.#spokenMs, this.#lastHeardMs);
    if (heard) this.#told(heard, { atMs, downlinkMs: undefined, framesSent: this.#sent });
  }

  /** Asks for a sign of life, which tells how long the way is. */
  askBack(nowMs: number): void {
    if (!this.connected || this.#pingedMs !== undefined) return;
    this.#pingedMs = nowMs;
    this.#link?.ping();
  }

  /** Says what the dialect says last; whether the server is to close then. */
  close(): boolean {
    if (this.#over) return false;
    const last = this.ready ? this.#speaker.close() : [];
    this.#sayAll(last);
    return last.length > 0;
  }

  /** Ends; no event follows. */
  end(how: 'goodbye' | 'terminate'): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = undefined;
    this.#link?.[how]();
  }

  opened(link: Link): void {
    this.#link = link;
    this.#opened = true;
    this.#sayAll(this.#speaker.opened());
    if (this.#speaker.readyAtOnce) this.#becomeReady(this.#options.clock());
  }

  message(bytes: Buffer, begin: number, end: number, atMs: number, downlinkMs: number | undefined): void {
    this.#hear(bytes.toString('utf8', begin, end), atMs, downlinkMs);
  }

  binary(_: Link, data: Buffer | undefined, atMs: number, downlinkMs: number | undefined): void {
    this.#hear(Uint8Array.from(data ?? []), atMs, downlinkMs);
  }

  pong(atMs: number): void {
    if (this.#pingedMs !== undefined) this.#options.events.roundTrip(atMs - this.#pingedMs);
    this.#pingedMs = undefined;
  }

  closed(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const last = code === 1000 ? this.#speaker.ended?.() : undefined;
    const atMs = Math.max(this.#spokenMs, this.#lastHeardMs);
    if (last) {
      this.#options.events.message?.(reason, [last], atMs);
      this.#told(last, { atMs, downlinkMs: undefined, framesSent: this.#sent });
    }
    this.#options.events.closed(code, reason, this);
  }

  died(reason: string): void {
    this.closed(1006, reason);
  }

  carried(frame: number, atMs: number, lateMs: number): void {
    this.#options.events.carried(frame, atMs, lateMs);
  }

  #hear(message: string | Uint8Array, atMs: number, downlinkMs: number | undefined): void {
    if (this.#over) return;
    const { events } = this.#options;
    const all = this.#speaker.heard(message);
    events.message?.(message, all, atMs);
    for (const heard of all) {
      if (heard.is === 'ready') this.#becomeReady(atMs);
      else if (heard.is === 'answer') this.#sayAll(heard.send);
      else if (heard.is === 'error') this.#erred(heard);
      else if (heard.is === 'not understood') this.#puzzled(heard.problem, message);
      else if (heard.is !== 'nothing') this.#told(heard, { atMs, downlinkMs, framesSent: this.#sent });
      if (this.#over) return;
    }
  }

  #puzzled(problem: string, message: string | Uint8Array): void {
    const { dialect, events } = this.#options;
    const like = protocolOf(message);
    const hint = like === undefined || like === dialect.name ? '' : `; looks like ${like} (protocol: ${like})`;
    events.notUnderstood(`${problem}${hint}`, example(message));
  }

  #erred(error: HeardError): void {
    this.error = error;
    this.#options.events.error(error);
  }

  #told(heard: HeardOfSession, received: Received): void {
    this.answered = true;
    this.#lastHeardMs = received.atMs;
    if (heard.is === 'final') this.finals += 1;
    this.#options.events.heard(this.#inSession(heard), received, this);
  }

  /** The same with utterances counted from the session's first, and sound on the app's clock. */
  #inSession(heard: HeardOfSession): HeardOfSession {
    if (heard.is === 'ack') return { is: 'ack', coversMs: this.#clock.appMs(heard.coversMs) };
    const { firstUtterance } = this.#options;
    const { coversMs, words } = heard;
    return {
      ...heard,
      utterance: firstUtterance + heard.utterance,
      ...(coversMs !== undefined && { coversMs: this.#clock.appMs(coversMs) }),
      ...(words && {
        words: words.map((word) =>
          word.endMs === undefined ? word : { ...word, endMs: this.#clock.appMs(word.endMs) },
        ),
      }),
    };
  }

  #becomeReady(atMs: number): void {
    const waiting = this.#waiting;
    if (!waiting || this.#over) return;
    this.#waiting = undefined;
    this.#options.events.ready(atMs);
    for (const one of waiting) one();
  }

  #tell(what: () => readonly Outgoing[]): void {
    if (this.#waiting) this.#waiting.push(() => this.#sayAll(what()));
    else this.#sayAll(what());
  }

  #sayAll(messages: readonly Outgoing[]): void {
    for (const one of messages) this.#say(one);
  }

  #say(message: Outgoing | undefined, place?: number): void {
    if (message === undefined || this.#over) return;
    this.#lastSentMs = this.#options.clock();
    if (place !== undefined) this.#sent += 1;
    if (typeof message === 'object' && 'halfClose' in message) this.#link?.halfClose?.();
    else this.#link?.send(prepared(message, place));
  }
}

/** How long a server may take to answer the end of an utterance before it is taken for silent. */
const answerMs = 1000;
/** Less is no silence. */
const leastQuietMs = 500;
/** Enough of a message to know what it is. */
const mostShown = 300;

function prepared(message: OutgoingMessage, place?: number): PreparedMessage | string {
  if (typeof message === 'string') return message;
  const isText = 'text' in message;
  const payload = isText ? message.text : message;
  return place === undefined ? { payload, isText } : { payload, isText, place };
}

function example(message: string | Uint8Array): string {
  if (typeof message === 'string') return message.length > mostShown ? `${message.slice(0, mostShown)}...` : message;
  return `bytes ${Buffer.from(message.subarray(0, 16)).toString('hex')}`;
}

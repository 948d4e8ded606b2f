import type { Clock, Timers } from '../clock/wheel.ts';
import type { ConnectRequest, Dialect, HeardError, SessionInput } from '../dialects/dialect.ts';
import type { EncodedSound } from '../dialects/sound.ts';
import type { AppSession, Voice } from './app-session.ts';
import type { ClientEnd } from './close-outcome.ts';
import { DialectConnection, type DialectEvents, type HeardOfSession, type Received } from './dialect-connection.ts';
import type { OpenLink } from './link/link.ts';

export type DialectClientOptions = {
  dialect: Dialect;
  session: SessionInput;
  /** Links to where the request leads. */
  links(request: ConnectRequest): OpenLink;
  frameMs: number;
  clock: Clock;
  timers: Timers;
  /**
   * Drop a frame instead of sending it while more than this waits in the socket; never, by default.
   */
  dropAboveBytes?: number;
  /** The first connection takes sound. */
  onReady(atMs: number): void;
  onHeard(heard: HeardOfSession, received: Received): void;
  /** What the server has against us, once the session has begun. */
  onError(error: HeardError): void;
  onNotUnderstood: DialectEvents['notUnderstood'];
  onMessage?: DialectEvents['message'];
  /** The frame reached the server at `atMs`, and was passed on `lateMs` after that. */
  onCarried?: DialectEvents['carried'];
  onRoundTrip?(ms: number): void;
  onEnd(end: ClientEnd): void;
};

/**
 * One session with a server of another dialect: one connection, or one for each utterance where the
 * dialect wants that. No dialect resumes: a connection that is lost while something is due ends the
 * session.
 */
export class DialectClient implements AppSession, Voice<EncodedSound> {
  readonly unacked = 0;
  readonly lostUnacked = 0;
  readonly resent = 0;
  readonly #options: DialectClientOptions;
  readonly #dropAboveBytes: number;
  /** The newest is spoken to; those before it owe the rest of their utterance. */
  readonly #connections: DialectConnection[] = [];
  #frames = 0;
  #lost = 0;
  #dropped = 0;
  #heldBack = 0;
  #utterances = 0;
  #begun = false;
  #answered = false;
  #closing = false;
  #ended = false;

  constructor(options: DialectClientOptions) {
    this.#options = options;
    this.#dropAboveBytes = options.dropAboveBytes ?? Number.POSITIVE_INFINITY;
    this.#connect(options.session);
  }

  /** Frames that the app numbered: all but those it held back or dropped. */
  get sent(): number {
    return this.#frames - this.#heldBack - this.#dropped;
  }

  get lost(): number {
    return this.#lost;
  }

  get connected(): boolean {
    return this.#newest.connected;
  }

  get ended(): boolean {
    return this.#ended;
  }

  sendAudio(sound: EncodedSound, index: number): boolean {
    const full = this.#newest.bufferedBytes > this.#dropAboveBytes;
    this.#frames += 1;
    if (full) {
      this.#dropped += 1;
      this.#newest.skip();
      return false;
    }
    this.#newest.audio(sound, index);
    return true;
  }

  loseAudio(): void {
    this.#lost += 1;
    this.#frames += 1;
    this.#newest.skip();
  }

  skipAudio(): void {
    this.#heldBack += 1;
    this.#frames += 1;
    this.#newest.skip();
  }

  finalize(): void {
    this.#newest.utteranceOver();
  }

  nextUtterance({ text }: { text: string }): void {
    if (this.#ended) return;
    this.#utterances += 1;
    const { dialect, session } = this.#options;
    if (dialect.connectionFor !== 'utterance') {
      this.#newest.next(text);
      return;
    }
    this.#newest.utteranceOver();
    this.#connect({ ...session, session: `${session.session}-${this.#utterances}`, reference: { text } });
  }

  close(): void {
    if (this.#closing || this.#ended) return;
    this.#closing = true;
    const { clock, timers } = this.#options;
    const waits = this.#connections.filter((one) => one.close());
    if (waits.length === 0) this.#end({ outcome: 'closed', code: 1000, reason: '' }, 'goodbye');
    else timers.at(clock() + closeMs, () => this.#end({ outcome: 'closed', code: 1000, reason: '' }, 'goodbye'));
  }

  abort(reason: string): void {
    this.#end({ outcome: this.#begun ? 'lost' : 'refused', code: 1006, reason }, 'terminate');
  }

  cut(): void {
    this.#end({ outcome: this.#begun ? 'lost' : 'refused', code: 1006, reason: 'the socket was cut' }, 'terminate');
  }

  /** Messages are read when they come. */
  tick(): void {}

  checkPulse(): void {
    if (this.#ended) return;
    const nowMs = this.#options.clock();
    this.#newest.quiet(nowMs);
    this.#newest.askBack(nowMs);
  }

  get #newest(): DialectConnection {
    return this.#connections.at(-1)!;
  }

  #connect(session: SessionInput): void {
    const { dialect, links, frameMs, clock, onMessage, onRoundTrip, onCarried, onNotUnderstood } = this.#options;
    const open = links(dialect.connect(session));
    const events: DialectEvents = {
      ready: (atMs) => this.#ready(atMs),
      heard: (heard, received, from) => this.#heard(heard, received, from),
      error: (error) => {
        if (this.#begun) this.#options.onError(error);
      },
      notUnderstood: onNotUnderstood,
      ...(onMessage && { message: onMessage }),
      carried: (frame, atMs, lateMs) => onCarried?.(frame, atMs, lateMs),
      roundTrip: (ms) => onRoundTrip?.(ms),
      closed: (code, reason, from) => this.#closed(code, reason, from),
    };
    const place = { firstFrame: this.#frames, firstUtterance: this.#utterances };
    this.#connections.push(new DialectConnection({ dialect, session, open, frameMs, clock, events, ...place }));
  }

  #ready(atMs: number): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#options.onReady(atMs);
  }

  #heard(heard: HeardOfSession, received: Received, from: DialectConnection): void {
    this.#answered = true;
    // A connection for one utterance has done its part; whoever holds the session hears of it then.
    const done = heard.is === 'final' && this.#options.dialect.connectionFor === 'utterance';
    if (done && !from.close()) from.end('goodbye');
    this.#options.onHeard(heard, received);
  }

  #closed(code: number, reason: string, from: DialectConnection): void {
    this.#connections.splice(this.#connections.indexOf(from), this.#connections.length > 1 ? 1 : 0);
    if (this.#closing) {
      if (this.#connections.every((one) => one.over)) this.#end({ outcome: 'closed', code, reason }, 'goodbye');
      return;
    }
    const { dialect } = this.#options;
    if (dialect.connectionFor === 'utterance' && from.finals > 0) return;
    const words = from.error ? `${from.error.code ? `${from.error.code}: ` : ''}${from.error.message}` : reason;
    const turnedAway = !this.#begun || (!this.#answered && (refusals.has(code) || from.refusal !== undefined));
    if (!turnedAway) this.#end({ outcome: 'lost', code, reason: words }, 'terminate');
    else this.#end({ outcome: 'refused', code, reason: words, ...retryOf(from) }, 'terminate');
  }

  #end(end: ClientEnd, how: 'goodbye' | 'terminate'): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const one of this.#connections) one.end(how);
    this.#options.onEnd(end);
  }
}

/** How long a server may take to close after the last words of the dialect; then the app does. */
const closeMs = 2000;

/** Closes that turn a caller away: policy (rates and quotas among it), and "try again later". */
const refusals: ReadonlySet<number> = new Set([1008, 1013]);

/** Whether the server may take the session later, from what it said in words or in its status. */
function retryOf({ error, refusal }: DialectConnection): Pick<ClientEnd, 'retryable' | 'retryAfterMs'> {
  return {
    retryable: error?.retryable ?? refusal?.retryable ?? true,
    retryAfterMs: error?.retryAfterMs ?? refusal?.retryAfterMs,
  };
}

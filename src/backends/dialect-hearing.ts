import { DialectConnection, type DialectEvents, type HeardOfSession } from '../client/dialect-connection.ts';
import type { OpenLink } from '../client/link/link.ts';
import { tlsTrouble } from '../client/tls-trouble.ts';
import type { Dialect, HeardError, SessionInput } from '../dialects/dialect.ts';
import { EncodedSound } from '../dialects/sound.ts';
import { plainText } from '../plain-text.ts';
import { hideSecrets } from '../redact.ts';
import type { Hearing, HearingEvents, HearingText } from './backend.ts';
import { backendError, type Failure } from './error-class.ts';
import { HearingGate } from './hearing-gate.ts';
import { SessionSound } from './sound/session-sound.ts';
import type { Time } from './time.ts';

export type DialectHearingOptions = {
  name: string;
  host: string;
  dialect: Dialect;
  session: SessionInput;
  /** The session's; the dialect's is in `session`. */
  sampleRateHz: number;
  links: OpenLink;
  secrets: readonly string[];
  /** Takes the secrets of the URL out of a text. */
  hide(text: string): string;
  time: Time;
  on: HearingEvents;
  /** The connection is gone. */
  onOver(): void;
};

/** One session over one connection to a server of a dialect. */
export class DialectHearing implements Hearing {
  readonly #options: DialectHearingOptions;
  readonly #gate: HearingGate;
  readonly #sound: SessionSound;
  /** Sound that is no whole message yet, pcm_s16le. */
  readonly #rest: Uint8Array;
  #restBytes = 0;
  #connection: DialectConnection | undefined;
  /** Sound that waits for the server to be ready, bytes. */
  #waitingBytes = 0;
  /** Messages in a row that nobody understood. */
  #puzzles = 0;
  #utterance = 0;
  #endedUtterances = 0;
  /** The utterance has sound. */
  #spoken = false;
  #reference = '';
  /** Utterances that the server was told of, in its order, and those without any sound. */
  readonly #told: number[] = [];
  readonly #silent = new Set<number>();
  #last: HearingText | undefined;
  #gone = false;
  #cancelGoodbye: () => void = () => {};

  constructor(options: DialectHearingOptions) {
    const { on, sampleRateHz, session, dialect } = options;
    this.#options = options;
    this.#gate = new HearingGate(on, () => {});
    this.#sound = new SessionSound(sampleRateHz, session.sampleRateHz);
    this.#rest = new Uint8Array(((session.sampleRateHz * dialect.audio.messageMs) / 1000) * 2);
  }

  begin(): void {
    const { dialect, session, links, time } = this.#options;
    const events: DialectEvents = {
      ready: () => {
        this.#waitingBytes = 0;
        this.#gate.ready();
      },
      heard: (heard) => this.#heard(heard),
      error: (error) => this.#refused(error),
      notUnderstood: (problem) => this.#puzzled(problem),
      carried() {},
      roundTrip() {},
      closed: (code, reason, { error, refusal }) =>
        this.#closed(code, reason, { ...refusal, ...(error && { ...error }) }),
    };
    this.#connection = new DialectConnection({
      dialect,
      session,
      open: links,
      frameMs: dialect.audio.messageMs,
      clock: time.now,
      firstFrame: 0,
      firstUtterance: 0,
      events,
    });
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    if (this.#gate.over) return;
    if (!this.#spoken) this.#beginToSpeak();
    this.#send(this.#sound.push(pcm, startMs));
  }

  utteranceOver(): void {
    if (this.#gate.over || this.#endedUtterances > this.#utterance) return;
    this.#endedUtterances += 1;
    if (this.#spoken) {
      this.#flush();
      this.#connection!.utteranceOver();
    } else {
      this.#silent.add(this.#utterance);
      queueMicrotask(() => this.#endSilent());
    }
    this.#spoken = false;
  }

  next(reference = ''): void {
    if (this.#gate.over) return;
    this.utteranceOver();
    this.#utterance += 1;
    this.#reference = reference;
  }

  close(): void {
    if (!this.#gate.close()) return;
    const { time } = this.#options;
    if (!this.#connection!.connected || !this.#connection!.close()) this.#end('goodbye');
    else this.#cancelGoodbye = time.at(time.now() + goodbyeMs, () => this.#end('terminate'));
  }

  /** The server hears only of utterances that have sound: it would not answer the others. */
  #beginToSpeak(): void {
    this.#spoken = true;
    if (this.#told.push(this.#utterance) > 1) this.#connection!.next(this.#reference);
  }

  /** Once a second: keep-alives, and finals that no answer brings. */
  tick(): void {
    if (!this.#gone) this.#connection!.quiet(this.#options.time.now());
  }

  /** The last message of an utterance is filled up with silence. */
  #flush(): void {
    this.#send(this.#sound.flush());
    if (this.#restBytes === 0) return;
    const missing = this.#rest.length - this.#restBytes;
    this.#rest.fill(0, this.#restBytes);
    this.#restBytes = 0;
    this.#message(this.#rest.slice());
    this.#sound.padded(missing / 2 / (this.#options.session.sampleRateHz / 1000));
  }

  #send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(bytes.length - at, this.#rest.length - this.#restBytes);
      this.#rest.set(bytes.subarray(at, at + taken), this.#restBytes);
      this.#restBytes += taken;
      at += taken;
      if (this.#restBytes < this.#rest.length) return;
      this.#restBytes = 0;
      this.#message(this.#rest.slice());
    }
  }

  #message(pcm: Uint8Array): void {
    const { dialect, session, name } = this.#options;
    const connection = this.#connection!;
    if (!connection.ready) this.#waitingBytes += pcm.length;
    if (Math.max(this.#waitingBytes, connection.bufferedBytes) > mostWaitingBytes) {
      this.#gate.failSoon({
        class: 'fault',
        message: `${name} takes sound too slowly: more than a minute of it waits`,
      });
      return;
    }
    const { sampleRateHz } = session;
    connection.audio(new EncodedSound({ pcm, sampleRateHz }, dialect.audio, dialect.audio.messageMs), 0);
  }

  #heard(heard: HeardOfSession): void {
    this.#puzzles = 0;
    if (heard.is === 'ack') {
      const { utterance = 0, text = '', settled = 0 } = this.#last ?? {};
      if (utterance < this.#gate.finals) return;
      this.#gate.text({ utterance, text, settled, isFinal: false, coversMs: this.#sound.sessionMs(heard.coversMs) });
      return;
    }
    const { text, settled, coversMs, words, stagesMs } = heard;
    const utterance = this.#told[heard.utterance];
    // What it thinks to have heard of an utterance that nobody has begun is none of ours.
    if (utterance === undefined) return;
    this.#endSilent();
    this.#last = {
      utterance,
      text,
      settled,
      isFinal: heard.is === 'final',
      ...(coversMs !== undefined && { coversMs: this.#sound.sessionMs(coversMs) }),
      ...(words && {
        words: words.map(({ text: word, endMs, final }) => ({
          text: word,
          isFinal: final,
          ...(endMs !== undefined && { endMs: this.#sound.sessionMs(endMs) }),
        })),
      }),
      ...(stagesMs && { stagesMs }),
    };
    this.#gate.text(this.#last);
    this.#endSilent();
  }

  #endSilent(): void {
    while (this.#silent.delete(this.#gate.finals))
      this.#gate.text({ utterance: this.#gate.finals, text: '', settled: 0, isFinal: true });
  }

  #refused({ message, code, retryAfterMs }: HeardError): void {
    this.#fail({ message, code, retryAfterMs });
  }

  #puzzled(problem: string): void {
    this.#puzzles += 1;
    if (this.#puzzles < mostPuzzles) return;
    this.#fail({ message: `it says nothing that is understood, as ${problem}` });
  }

  #closed(code: number, reason: string, failure: Partial<Failure>): void {
    if (this.#gate.over) {
      this.#leave();
      return;
    }
    const { host } = this.#options;
    const words = reason === '' ? `it closed the connection (${code})` : (tlsTrouble(reason, host)?.words ?? reason);
    this.#fail({ message: words, ...failure });
  }

  #fail({ message, ...failure }: Failure): void {
    const { name, secrets, hide } = this.#options;
    const shown = plainText(hideSecrets(hide(message), secrets), mostWords);
    // Not within a call of who listens: a socket may fail as it is written to.
    this.#gate.failSoon({ ...backendError({ message: `${name}: ${shown}`, ...failure }) });
    this.#end('terminate');
  }

  #end(how: 'goodbye' | 'terminate'): void {
    this.#connection!.end(how);
    this.#leave();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelGoodbye();
    this.#options.onOver();
  }
}

/** A minute of sound at 24 kHz. */
const mostWaitingBytes = 2_880_000;
/** How long a server may take to close after our last words. */
const goodbyeMs = 1000;
/** One message of a kind that we do not know yet is no reason to leave. */
const mostPuzzles = 5;
const mostWords = 300;

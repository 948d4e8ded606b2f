import { SpeechfbError } from '../../errors.ts';
import { resultsPath } from '../../protocol/address.ts';
import { closeCodes, wireErrors } from '../../protocol/codes.ts';
import { stackOf } from '../../telemetry/log.ts';
import { noteRefusal, type Refusal } from '../refusal.ts';
import type { ServerContext } from './context.ts';
import type { HandOver } from './hand-over.ts';
import type { Outbox } from './outbox.ts';
import { errorMessage } from './replies.ts';
import type { SessionAudio } from './session-audio.ts';
import type { FinalReason } from './utterance.ts';

/** How a socket is closed after the last event. */
export type Closing = { code: number; reason: string };

export type SessionEndOptions = {
  sessionId: string;
  context: ServerContext;
  audio: SessionAudio;
  outbox: Outbox;
  /** Lets be scored later what is not finished; absent: it is lost. */
  handOver?: HandOver | undefined;
  closeSocket(closing: Closing): void;
  /** The session is over: nothing more comes of it. */
  onEnd(): void;
};

/** How a session comes to its end: after its finals, or at once with an error. */
export class SessionEnd {
  readonly #options: SessionEndOptions;
  #phase: 'live' | 'ending' | 'done' = 'live';
  #closing: Closing = { code: closeCodes.normal, reason: 'done' };
  #failure: string | undefined;
  #onHeard: (() => void) | undefined;

  constructor(options: SessionEndOptions) {
    this.#options = options;
  }

  /** `ending`: finals are still to come; `done`: all was sent. */
  get phase(): 'live' | 'ending' | 'done' {
    return this.#phase;
  }

  /** The code of what the server could not do for the session, for which it ended. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** How a socket that comes after the end is closed. */
  get closing(): Closing {
    return this.#closing;
  }

  /**
   * Finals first, then the close; a refusal is sent in between.
   *
   * @param once `heard`: not before `heard` was called
   */
  afterFinals(reason: FinalReason, how: Closing | Refusal, once?: 'heard'): void {
    const { audio } = this.#options;
    this.#phase = 'ending';
    const refusal = audio.finish(reason, null);
    if (refusal) {
      this.fail(refusal);
      return;
    }
    const heard = once && new Promise<void>((resolve) => (this.#onHeard = resolve));
    void Promise.all([audio.settled(), heard]).then(() => {
      if (this.#phase !== 'ending') return;
      if ('message' in how) this.fail(how);
      else this.#finish(how);
    });
  }

  /** The client has heard that it is over, or nobody is there who could. */
  heard(): void {
    this.#onHeard?.();
  }

  /** Sends `error`, closes the socket and ends the session. */
  fail(refusal: Refusal): void {
    if (this.#phase === 'done') return;
    const { audio, context, outbox, closeSocket, onEnd } = this.#options;
    this.#phase = 'done';
    if (serverFaults.has(refusal.code)) {
      this.#failure = refusal.code;
      this.#handOver();
    }
    audio.close();
    noteRefusal(context, refusal);
    outbox.send(errorMessage(refusal));
    closeSocket({ code: wireErrors[refusal.code].close, reason: refusal.message });
    onEnd();
  }

  /**
   * Ends the session because nobody can score it, or for a bug of ours, whose stack goes to the
   * log.
   */
  failInternally(error: unknown): void {
    const { context, sessionId } = this.#options;
    if (error instanceof SpeechfbError && error.code === 'no_slot') {
      this.fail({ code: 'server_busy', message: error.message, retryAfterMs: context.limits.busyRetryMs });
      return;
    }
    context.log.error({ session: sessionId, error: stackOf(error) }, 'a session failed');
    this.fail({ code: 'internal', message: 'the server failed on this session; the log says why' });
  }

  /** Ends the session without an event. */
  abandon(): void {
    this.#phase = 'done';
    this.#options.audio.close();
    this.#options.onEnd();
  }

  /** Others score later what nobody here can finish; the client is told where it finds that. */
  #handOver(): void {
    const { audio, handOver, outbox, sessionId } = this.#options;
    const ids = handOver?.unfinished(audio.unfinished(), outbox.lastEventId) ?? [];
    if (ids.length === 0) return;
    const which = `utterance${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
    const message = `${which} will be scored later: GET ${resultsPath(sessionId)} with the resume_token`;
    outbox.send({ type: 'info', code: 'handed_over', message });
  }

  #finish(closing: Closing): void {
    this.#phase = 'done';
    this.#closing = closing;
    this.#options.audio.close();
    this.#options.closeSocket(closing);
  }
}

/** What no client is to blame for. */
const serverFaults: ReadonlySet<Refusal['code']> = new Set(['internal', 'inference_timeout', 'server_busy']);

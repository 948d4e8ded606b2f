import { performance } from 'node:perf_hooks';
import type { Pcm } from '../audio/pcm.ts';
import type { Timers } from '../clock/wheel.ts';
import { startWheel } from '../clock/wheel.ts';
import { SpeechfbError } from '../errors.ts';
import { formatMs } from '../format.ts';
import type { Lane } from '../protocol/client-messages.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import { hideSecrets } from '../redact.ts';
import type { SecretUrl } from '../secret-url.ts';
import { createRandomStream } from '../stats/random-stream.ts';
import { StreamClient } from './client.ts';
import type { ClientEnd } from './close-outcome.ts';
import { SoundFrames } from './frames.ts';
import { inTurn } from './link/in-turn.ts';
import type { LinkTransport } from './link/quic-way.ts';
import { brokenProtocol, socketLinks, type TlsOptions } from './link/websocket-connection.ts';

export type PlaybackOptions = {
  recording: Pcm;
  text: string;
  url: SecretUrl;
  /** Other servers of the same service, to which each further connection leads in turn. */
  alsoAt?: readonly SecretUrl[];
  token: string | undefined;
  /** What carries it; default `websocket`. */
  transport?: LinkTransport | undefined;
  tls?: TlsOptions | undefined;
  frameMs: number;
  emitIntervalMs: number;
  lane: Lane;
  /** Cut the socket once, as a lost network does, when this much has been spoken. */
  cutAtMs: number | undefined;
  patience: PlaybackPatience;
};

/** How long a server may take, ms. */
type PlaybackPatience = {
  /** From opening the connection to `ready`. */
  readyMs: number;
  /** From one event to the next, while sound is sent; a lost connection has to be back by then. */
  answerMs: number;
  /** From the end of the sound to the final. */
  finalMs: number;
};

export type PlaybackHooks = {
  /**
   * `latencyMs`: since the first sample of the last frame that the event covers; undefined for
   * events that cover none.
   */
  onEvent(event: ServerEvent, atMs: number, latencyMs: number | undefined): void;
  onSpoken(spokenMs: number): void;
  onDropped(atMs: number): void;
  /** Aborted: stop at once. */
  signal: AbortSignal;
};

export type PlaybackSummary = { framesSent: number; framesResent: number; framesLost: number };

/**
 * Plays one recording in real time as a device would and resolves when the session has closed after
 * its final. Speech begins when the server is ready; times are ms since then. A server that has no
 * room for the moment, as while its model warms up, is asked again when it says, for a while.
 * Throws `connection_refused`, `session_refused`, `session_lost`, `server_silent` or
 * `invalid_server_message`.
 */
export async function playRecording(options: PlaybackOptions, hooks: PlaybackHooks): Promise<PlaybackSummary> {
  const wheel = startWheel(now);
  const untilMs = now() + busyPatience.totalMs;
  try {
    for (;;) {
      const playback = new Playback(options, hooks, wheel.timers);
      try {
        return await playback.summary;
      } catch (error) {
        const waitMs = playback.retryAfterMs;
        if (waitMs === undefined || waitMs > busyPatience.onceMs || now() + waitMs > untilMs) throw error;
        await pauseFor(Math.max(waitMs, busyPatience.leastMs), wheel.timers, hooks.signal);
        if (hooks.signal.aborted) throw error;
      }
    }
  } finally {
    wheel.stop();
  }
}

/** How long a person waits for a server that asks to: at least, at once, and in all. */
const busyPatience = { leastMs: 200, onceMs: 2000, totalMs: 15_000 } as const;

async function pauseFor(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = withResolvers<void>();
  const over = () => resolve();
  timers.at(now() + ms, over);
  signal.addEventListener('abort', over, { once: true });
  await promise;
  signal.removeEventListener('abort', over);
}

class Playback {
  readonly summary: Promise<PlaybackSummary>;
  /**
   * When a server that refused the session wants to be asked again; undefined: it did not, or did
   * not say.
   */
  retryAfterMs: number | undefined;
  readonly #options: PlaybackOptions;
  readonly #hooks: PlaybackHooks;
  readonly #timers: Timers;
  readonly #client: StreamClient;
  readonly #sound: SoundFrames;
  readonly #openedMs = now();
  #beganMs: number | undefined;
  /** When the newest event came, the sound was over, and the final came. */
  #heardMs = 0;
  #spokenMs: number | undefined;
  #finalMs: number | undefined;
  #events = 0;
  #lastError = '';
  /** Why we ended the session before its final. */
  #failure: SpeechfbError | undefined;

  constructor(options: PlaybackOptions, hooks: PlaybackHooks, timers: Timers) {
    this.#options = options;
    this.#hooks = hooks;
    this.#timers = timers;
    this.#sound = new SoundFrames(options.recording, options.frameMs);
    const { promise, resolve, reject } = withResolvers<PlaybackSummary>();
    this.summary = promise;
    const interrupt = () => this.#client.abort('interrupted');
    this.#client = this.#connect((end) => {
      hooks.signal.removeEventListener('abort', interrupt);
      if (this.#finalMs === undefined && !hooks.signal.aborted)
        reject(this.#failure ?? failureOf(this.#shown(end, 'reason'), options.url, this.#hidden(this.#lastError)));
      const { sent, resent, unacked } = this.#client;
      resolve({ framesSent: sent, framesResent: resent, framesLost: unacked });
    });
    hooks.signal.addEventListener('abort', interrupt, { once: true });
    if (hooks.signal.aborted) interrupt();
    this.#watch();
  }

  #connect(onEnd: (end: ClientEnd) => void): StreamClient {
    const { recording, text, url, alsoAt = [], frameMs, emitIntervalMs, lane, patience } = this.#options;
    const { token, transport, tls } = this.#options;
    const handshakeMs = (patience.readyMs + 1000) / (alsoAt.length + 1);
    const servers = [url, ...alsoAt].map(({ href }) =>
      socketLinks({ url: href, token, transport, tls, handshakeMs }, now),
    );
    return new StreamClient({
      open: inTurn(servers),
      otherServers: alsoAt.length,
      start: {
        audio: { encoding: 'pcm_s16le', sample_rate: recording.sampleRateHz, channels: 1, frame_ms: frameMs },
        reference: { text },
        emit_interval_ms: emitIntervalMs,
        ...(lane === 'batch' && { lane }),
      },
      clock: now,
      timers: this.#timers,
      random: createRandomStream(Math.round(now() * 1000)),
      onEvent: (event, receivedMs) => this.#event(event, receivedMs),
      onBadMessage: ({ problem }) => {
        const message = this.#hidden(`${url} broke the protocol: ${problem}`);
        this.#fail(new SpeechfbError('invalid_server_message', message));
      },
      onDropped: (atMs) => this.#hooks.onDropped(atMs - (this.#beganMs ?? atMs)),
      onEnd,
    });
  }

  /** A server may quote the key that it was called with. */
  #hidden(text: string): string {
    const { url, alsoAt = [], token = '' } = this.#options;
    const hidden = [url, ...alsoAt].reduce((left, one) => one.hide(left), text);
    return hideSecrets(hidden, [token]);
  }

  /** The same with a server's sentence as it may be shown. */
  #shown<Key extends string, Told extends Record<Key, string>>(told: Told, key: Key): Told {
    return { ...told, [key]: this.#hidden(told[key]) };
  }

  #event(event: ServerEvent, receivedMs: number): void {
    this.#heardMs = receivedMs;
    this.#count();
    if (event.type === 'ready' && this.#beganMs === undefined) {
      this.#beganMs = receivedMs;
      this.#speak(0);
    }
    if (event.type === 'error') {
      this.#lastError = `${event.code}: ${event.message}`;
      if (this.#beganMs === undefined && event.retryable) this.retryAfterMs = event.retry_after_ms ?? undefined;
    }
    const atMs = receivedMs - (this.#beganMs ?? receivedMs);
    const shown = event.type === 'error' || event.type === 'info' ? this.#shown(event, 'message') : event;
    this.#hooks.onEvent(shown, atMs, coversSound(event) ? atMs - event.audio_ms + this.#options.frameMs : undefined);
    if (event.type === 'utterance_final') {
      this.#finalMs = receivedMs;
      this.#client.close();
    }
  }

  /** What is printed and kept of a session grows with its events, which have to be about sound. */
  #count(): void {
    this.#events += 1;
    const soundMs = this.#client.sent * this.#options.frameMs;
    if (this.#events <= mostEvents + (soundMs / 1000) * mostEventsASecond) return;
    const message = `${this.#options.url} sent ${this.#events} events for ${formatMs(soundMs)} of sound; allowed: ${mostEvents}, and ${mostEventsASecond} a second`;
    this.#fail(new SpeechfbError('invalid_server_message', message));
  }

  #watch(): void {
    if (this.#client.ended) return;
    const nowMs = now();
    const silence = this.#silence(nowMs);
    if (silence) this.#fail(silence);
    else if (this.#finalMs !== undefined && nowMs - this.#finalMs > closeMs) this.#client.abort('it does not close');
    else this.#timers.at(nowMs + watchEveryMs, () => this.#watch());
  }

  /** The error of a server that has been silent for too long. */
  #silence(nowMs: number): SpeechfbError | undefined {
    const { readyMs, answerMs, finalMs } = this.#options.patience;
    if (this.#finalMs !== undefined) return undefined;
    if (this.#beganMs === undefined) {
      const what = this.#client.greeted ? 'takes the connection and does not say ready' : 'does not answer';
      return nowMs - this.#openedMs > readyMs ? this.#silent(what, readyMs, '--ready-timeout') : undefined;
    }
    if (nowMs - Math.max(this.#heardMs, this.#beganMs) > answerMs)
      return this.#silent('says nothing of the sound that it gets', answerMs, '--answer-timeout');
    if (this.#spokenMs !== undefined && nowMs - this.#spokenMs > finalMs)
      return this.#silent('sends no final', finalMs, '--final-timeout');
    return undefined;
  }

  #silent(what: string, limitMs: number, flag: string): SpeechfbError {
    return new SpeechfbError('server_silent', `${this.#options.url} ${what} within ${formatMs(limitMs)}`, {
      hint: `a server that needs longer gets it with ${flag}`,
    });
  }

  #fail(error: SpeechfbError): void {
    this.#failure ??= error;
    this.#client.abort('given up');
  }

  /** Each frame when its last sample is due. */
  #speak(frame: number): void {
    const { frameMs, cutAtMs } = this.#options;
    if (frame === this.#sound.count) {
      this.#client.finalize('end');
      this.#spokenMs = now();
      return;
    }
    const spokenMs = (frame + 1) * frameMs;
    this.#timers.at(this.#beganMs! + spokenMs, () => {
      if (this.#client.ended) return;
      this.#client.sendAudio(this.#sound, frame);
      this.#hooks.onSpoken(spokenMs);
      if (cutAtMs !== undefined && spokenMs - frameMs < cutAtMs && spokenMs >= cutAtMs) this.#client.cut();
      this.#speak(frame + 1);
    });
  }
}

const watchEveryMs = 100;
/** How long a server may take to close a session that is over; then we do. */
const closeMs = 2000;
/**
 * A server that is as quick as it may be sends feedback, words and acks of each 20 ms of sound, 150
 * events a second; and what a text of 500 words begins with.
 */
const mostEvents = 2000;
const mostEventsASecond = 300;

/** Whether it tells of sound while it is fresh: a late final is no feedback. */
function coversSound(event: ServerEvent): boolean {
  const { type } = event;
  return type === 'phoneme_feedback' || type === 'transcript' || (type === 'utterance_final' && event.late !== true);
}

function failureOf(
  { outcome, code, reason, retryAfterMs }: ClientEnd,
  url: SecretUrl,
  lastError: string,
): SpeechfbError {
  const why = lastError || reason || `close code ${code}`;
  if (outcome === 'refused' && /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT/.test(reason)) {
    return new SpeechfbError('connection_refused', `nothing answers at ${url}: ${reason}`, {
      hint: 'start a server with: speechfb serve',
    });
  }
  if (reason.startsWith(brokenProtocol)) return new SpeechfbError('invalid_server_message', `${url}: ${reason}`);
  if (outcome === 'refused') return new SpeechfbError('session_refused', `${url} refused the session: ${why}`);
  if (outcome === 'sent_away') {
    const when = retryAfterMs === undefined ? 'later' : `in ${formatMs(retryAfterMs)}`;
    return new SpeechfbError('session_lost', `${url} sent the session away: ${why}`, { hint: `come again ${when}` });
  }
  return new SpeechfbError('session_lost', `the session with ${url} ended before its final: ${why}`);
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function now(): number {
  return performance.now();
}

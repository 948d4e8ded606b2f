import { performance } from 'node:perf_hooks';
import type { Pcm } from '../audio/pcm.ts';
import type { Timers } from '../clock/wheel.ts';
import { startWheel } from '../clock/wheel.ts';
import { SpeechfbError } from '../errors.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import { hideSecrets } from '../redact.ts';
import type { SecretUrl } from '../secret-url.ts';
import { createRandomStream } from '../stats/random-stream.ts';
import type { ClientEnd } from './client.ts';
import { StreamClient } from './client.ts';
import { SoundFrames } from './frames.ts';
import { socketLinks } from './link/websocket-connection.ts';

export type PlaybackOptions = {
  recording: Pcm;
  text: string;
  url: SecretUrl;
  token: string | undefined;
  frameMs: number;
  emitIntervalMs: number;
  /** Cut the socket once, as a lost network does, when this much has been spoken. */
  cutAtMs: number | undefined;
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
 * Throws `connection_refused`, `session_refused` or `session_lost`.
 */
export async function playRecording(options: PlaybackOptions, hooks: PlaybackHooks): Promise<PlaybackSummary> {
  const wheel = startWheel(now);
  const untilMs = now() + patience.totalMs;
  try {
    for (;;) {
      const playback = new Playback(options, hooks, wheel.timers);
      try {
        return await playback.summary;
      } catch (error) {
        const waitMs = playback.retryAfterMs;
        if (waitMs === undefined || waitMs > patience.onceMs || now() + waitMs > untilMs) throw error;
        await new Promise<void>((resolve) => wheel.timers.at(now() + waitMs, resolve));
        if (hooks.signal.aborted) throw error;
      }
    }
  } finally {
    wheel.stop();
  }
}

/** How long a person waits for a server that asks to: at once, and in all. */
const patience = { onceMs: 2000, totalMs: 15_000 } as const;

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
  #beganMs: number | undefined;
  #final = false;
  #lastError = '';

  constructor(options: PlaybackOptions, hooks: PlaybackHooks, timers: Timers) {
    this.#options = options;
    this.#hooks = hooks;
    this.#timers = timers;
    this.#sound = new SoundFrames(options.recording, options.frameMs);
    const { promise, resolve, reject } = withResolvers<PlaybackSummary>();
    this.summary = promise;
    this.#client = this.#connect((end) => {
      if (!this.#final && !hooks.signal.aborted) reject(failureOf(end, options.url, this.#hidden(this.#lastError)));
      const { sent, resent, unacked } = this.#client;
      resolve({ framesSent: sent, framesResent: resent, framesLost: unacked });
    });
    hooks.signal.addEventListener('abort', () => this.#client.abort('interrupted'), { once: true });
  }

  #connect(onEnd: (end: ClientEnd) => void): StreamClient {
    const { recording, text, url, token, frameMs, emitIntervalMs } = this.#options;
    return new StreamClient({
      open: socketLinks({ url: url.href, token }, now),
      start: {
        audio: { encoding: 'pcm_s16le', sample_rate: recording.sampleRateHz, channels: 1, frame_ms: frameMs },
        reference: { text },
        emit_interval_ms: emitIntervalMs,
      },
      clock: now,
      timers: this.#timers,
      random: createRandomStream(Math.round(now() * 1000)),
      onEvent: (event, receivedMs) => this.#event(event, receivedMs),
      onGarbage: (message) => {
        this.#lastError = `not a speechfb.v1 event: ${message}`;
      },
      onDropped: (atMs) => this.#hooks.onDropped(atMs - (this.#beganMs ?? atMs)),
      onEnd,
    });
  }

  /** A server may quote the key that it was called with. */
  #hidden(text: string): string {
    return hideSecrets(this.#options.url.hide(text), [this.#options.token ?? '']);
  }

  #event(event: ServerEvent, receivedMs: number): void {
    if (event.type === 'ready' && this.#beganMs === undefined) {
      this.#beganMs = receivedMs;
      this.#speak(0);
    }
    if (event.type === 'error') {
      this.#lastError = `${event.code}: ${event.message}`;
      if (this.#beganMs === undefined && event.retryable) this.retryAfterMs = event.retry_after_ms ?? undefined;
    }
    const atMs = receivedMs - (this.#beganMs ?? receivedMs);
    this.#hooks.onEvent(event, atMs, coversSound(event) ? atMs - event.audio_ms + this.#options.frameMs : undefined);
    if (event.type === 'utterance_final') {
      this.#final = true;
      this.#client.close();
    }
  }

  /** Each frame when its last sample is due. */
  #speak(frame: number): void {
    const { frameMs, cutAtMs } = this.#options;
    if (frame === this.#sound.count) {
      this.#client.finalize('end');
      return;
    }
    const spokenMs = (frame + 1) * frameMs;
    this.#timers.at(this.#beganMs! + spokenMs, () => {
      this.#client.sendAudio(this.#sound, frame);
      this.#hooks.onSpoken(spokenMs);
      if (cutAtMs !== undefined && spokenMs - frameMs < cutAtMs && spokenMs >= cutAtMs) this.#client.cut();
      this.#speak(frame + 1);
    });
  }
}

function coversSound({ type }: ServerEvent): boolean {
  return type === 'phoneme_feedback' || type === 'transcript' || type === 'utterance_final';
}

function failureOf({ outcome, code, reason }: ClientEnd, url: SecretUrl, lastError: string): SpeechfbError {
  const why = lastError || reason || `close code ${code}`;
  if (outcome === 'refused' && /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT/.test(reason)) {
    return new SpeechfbError('connection_refused', `nothing answers at ${url}: ${reason}`, {
      hint: 'start a server with: speechfb serve',
    });
  }
  if (outcome === 'refused') return new SpeechfbError('session_refused', `${url} refused the session: ${why}`);
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

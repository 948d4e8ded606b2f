import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Pcm } from '../../audio/pcm.ts';
import type { ClientEnd } from '../../client/close-outcome.ts';
import { DialectClient } from '../../client/dialect-client.ts';
import type { OpenLink } from '../../client/link/link.ts';
import { startWheel, type TurningWheel } from '../../clock/wheel.ts';
import type { ConnectRequest, Dialect, Heard } from '../../dialects/dialect.ts';
import { EncodedSound } from '../../dialects/sound.ts';

/** A message of the server, and what the dialect took it for. */
export type ProbeMessage = {
  /** From the first sample of the clip on; below 0 before it. */
  atMs: number;
  /** A text, or the bytes of a binary message. */
  raw: string | Uint8Array;
  heard: readonly Heard[];
};

export type ProbeOptions = {
  dialect: Dialect;
  clip: Pcm;
  text: string;
  /** BCP 47, as `en-US`. */
  language: string;
  /** Links to where a request of the dialect leads. */
  links(request: ConnectRequest, wheel: TurningWheel): OpenLink;
  /** How long the server may take to be ready, and its final behind the end of the sound, ms. */
  patience: { readyMs: number; finalMs: number };
};

export type ProbeHooks = {
  onMessage(message: ProbeMessage): void;
  signal: AbortSignal;
};

/** How a probe went. */
export type ProbeRun = {
  messages: readonly ProbeMessage[];
  /** From opening the connection to its being ready, ms; undefined: it never was. */
  readyMs: number | undefined;
  /** Length of the sound that was played, ms. */
  soundMs: number;
  /** What went out late by more than a frame would tell of a busy machine, not of the server. */
  latestSendMs: number;
  end: ClientEnd;
};

/**
 * Plays a clip to a server once, at its own pace, and hears what it says; returns once its final
 * has come, or when the server is silent for too long.
 */
export async function playProbe(options: ProbeOptions, hooks: ProbeHooks): Promise<ProbeRun> {
  const wheel = startWheel(() => performance.now());
  try {
    return await new Probe(options, hooks, wheel).done;
  } finally {
    wheel.stop();
  }
}

class Probe {
  readonly done: Promise<ProbeRun>;
  readonly #options: ProbeOptions;
  readonly #hooks: ProbeHooks;
  readonly #wheel: TurningWheel;
  readonly #sound: EncodedSound;
  readonly #client: DialectClient;
  /** Messages with their times on the clock. */
  readonly #messages: ProbeMessage[] = [];
  readonly #openedMs = performance.now();
  /** When the first sample is spoken, on the clock. */
  #beginMs: number | undefined;
  #heardMs = 0;
  #final = false;
  #closing = false;
  #latestSendMs = 0;
  #resolve!: (run: ProbeRun) => void;

  constructor(options: ProbeOptions, hooks: ProbeHooks, wheel: TurningWheel) {
    this.#options = options;
    this.#hooks = hooks;
    this.#wheel = wheel;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const { dialect, clip, text, language, links } = options;
    const { sampleRateHz, messageMs } = dialect.audio;
    this.#sound = new EncodedSound(clip, dialect.audio, messageMs);
    this.#client = new DialectClient({
      dialect,
      session: { sampleRateHz, language, reference: { text }, session: randomUUID() },
      links: (request) => links(request, wheel),
      frameMs: messageMs,
      clock: () => performance.now(),
      timers: wheel.timers,
      onReady: (atMs) => this.#begin(atMs),
      onHeard: () => {},
      onError: () => {},
      onNotUnderstood: () => {},
      onMessage: (raw, heard, atMs) => this.#hear(raw, heard, atMs),
      onEnd: (end) => this.#end(end),
    });
    hooks.signal.addEventListener('abort', () => this.#client.abort('stopped'), { once: true });
    if (hooks.signal.aborted) this.#client.abort('stopped');
    this.#lookAfter();
  }

  #begin(atMs: number): void {
    this.#beginMs = Math.ceil(atMs);
    this.#speak(0);
  }

  /** Frame `index` goes out when its last sample has been spoken. */
  #speak(index: number): void {
    const { frameMs, count } = this.#sound;
    if (this.#client.ended) return;
    const dueMs = this.#beginMs! + (index + 1) * frameMs;
    this.#wheel.timers.at(dueMs, () => {
      if (this.#client.ended) return;
      this.#latestSendMs = Math.max(this.#latestSendMs, performance.now() - dueMs);
      this.#client.sendAudio(this.#sound, index);
      if (index + 1 < count) this.#speak(index + 1);
      else this.#client.finalize();
    });
  }

  #hear(raw: string | Uint8Array, heard: readonly Heard[], atMs: number): void {
    this.#heardMs = atMs;
    const message = { atMs, raw, heard };
    this.#messages.push(message);
    if (heard.some(({ is }) => is === 'final')) this.#final = true;
    // Without a beginning the times are from the opening of the connection.
    this.#hooks.onMessage({ ...message, atMs: atMs - (this.#beginMs ?? atMs) });
  }

  /** Twice a second: is there anything left to wait for? */
  #lookAfter(): void {
    const nowMs = performance.now();
    this.#wheel.timers.at(nowMs + 200, () => {
      if (this.#client.ended) return;
      this.#client.checkPulse();
      if (this.#isOver(performance.now()) && !this.#closing) {
        this.#closing = true;
        this.#client.close();
      }
      this.#lookAfter();
    });
  }

  #isOver(nowMs: number): boolean {
    const { patience } = this.#options;
    if (this.#beginMs === undefined) return nowMs > this.#openedMs + patience.readyMs;
    const spokenMs = this.#beginMs + this.#sound.count * this.#sound.frameMs;
    // What still comes behind a final is worth a look.
    if (this.#final) return nowMs > Math.max(spokenMs, this.#heardMs + afterFinalMs);
    return nowMs > Math.max(spokenMs, this.#heardMs) + patience.finalMs;
  }

  #end(end: ClientEnd): void {
    const beginMs = this.#beginMs ?? this.#openedMs;
    this.#resolve({
      messages: this.#messages.map((one) => ({ ...one, atMs: one.atMs - beginMs })),
      readyMs: this.#beginMs === undefined ? undefined : this.#beginMs - this.#openedMs,
      soundMs: this.#sound.count * this.#sound.frameMs,
      latestSendMs: this.#latestSendMs,
      end,
    });
  }
}

const afterFinalMs = 500;

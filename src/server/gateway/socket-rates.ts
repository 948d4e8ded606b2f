import { flood } from '../admission/reading.ts';
import { TokenBucket } from '../admission/token-bucket.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';

/** What comes through one socket, each kind within its rate. */
export class SocketRates {
  readonly #limits: Limits;
  #frames: TokenBucket;
  readonly #messages: TokenBucket;
  readonly #pings: TokenBucket;

  constructor(limits: Limits, nowMs: number) {
    this.#limits = limits;
    this.#frames = new TokenBucket(limits.framesPerSecond, limits.frameBurst, nowMs);
    this.#messages = new TokenBucket(limits.messagesPerSecond, limits.messageBurst, nowMs);
    this.#pings = new TokenBucket(limits.pingsPerSecond, limits.pingBurst, nowMs);
  }

  /** Counts one more; the refusal where it is one too many. */
  take(what: Parameters<typeof flood>[0], nowMs: number): Refusal | undefined {
    const bucket = what === 'frames' ? this.#frames : what === 'messages' ? this.#messages : this.#pings;
    const waitMs = bucket.take(nowMs);
    return waitMs > 0 ? flood(what, waitMs) : undefined;
  }

  /** What a client has kept for us comes at once, however much it is. */
  expectReplay(replayMs: number, nowMs: number): void {
    const { framesPerSecond, frameBurst } = this.#limits;
    const burst = frameBurst + replayMs / leastFrameMs;
    if (replayMs > 0) this.#frames = new TokenBucket(framesPerSecond, burst, nowMs);
  }
}

/** Frames are this long at least, but for those of who cuts sound finer than anybody needs. */
const leastFrameMs = 10;

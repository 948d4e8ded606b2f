import type { SentNodeItem } from './items.ts';
import { ResponseWriter } from './responses.ts';

/**
 * Gathers what a node says on one trunk for a few milliseconds, so that many sessions share one
 * message: a message a session and frame costs three times the CPU. Each item is written as it
 * comes, and nothing is kept of it.
 */
export class Gatherer {
  readonly #send: (message: Buffer) => void;
  readonly #writer = new ResponseWriter();
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (message: Buffer) => void) {
    this.#send = send;
  }

  /** Sends the item with the next message. */
  add(item: SentNodeItem): void {
    this.#writer.item(item);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Sends what waits at once. */
  flush(): void {
    this.stop();
    for (const message of this.#writer.take()) this.#send(message);
  }

  /** Nothing is sent until more is said. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** What a message costs is the same for few and for many. */
const gatherMs = 5;

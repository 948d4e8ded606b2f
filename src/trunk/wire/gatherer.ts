/**
 * Gathers the items of one trunk for a few milliseconds, so that many sessions share one message:
 * a message a session and frame costs three times the CPU.
 */
export class Gatherer<Item> {
  readonly #send: (items: readonly Item[]) => void;
  readonly #gatherMs: number;
  #items: Item[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (items: readonly Item[]) => void, gatherMs: number = defaultGatherMs) {
    this.#send = send;
    this.#gatherMs = gatherMs;
  }

  /** Sends the item with the next message. */
  add(item: Item): void {
    this.#items.push(item);
    this.#timer ??= setTimeout(() => this.flush(), this.#gatherMs);
  }

  /** Sends what waits at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#send(items);
  }

  /** Sends nothing more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items = [];
  }
}

const defaultGatherMs = 3;

export type TurnstileOptions = {
  /** How many pieces of work run at once. */
  atOnce: number;
  /** How many more wait, in all and of one address. */
  mostWaiting: number;
  mostOfOne: number;
};

/**
 * Bounds work that strangers can ask for: so much at once, and so much that waits. Those who wait
 * go in turn by address, so that who asks a lot waits behind itself alone.
 */
export class Turnstile {
  readonly #options: TurnstileOptions;
  /** By address, in the order of whose turn it is. */
  readonly #queues = new Map<string, (() => void)[]>();
  #running = 0;
  #waiting = 0;

  constructor(options: TurnstileOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** The outcome of the work; undefined: too many wait already, and it was not begun. */
  async run<Outcome>(address: string | undefined, work: () => Promise<Outcome>): Promise<Outcome | undefined> {
    const { atOnce, mostWaiting, mostOfOne } = this.#options;
    if (this.#running >= atOnce) {
      const queue = this.#queues.get(address ?? '') ?? [];
      const most = address === undefined ? mostWaiting : mostOfOne;
      if (this.#waiting >= mostWaiting || queue.length >= most) return undefined;
      this.#queues.set(address ?? '', queue);
      this.#waiting += 1;
      // Whoever is done hands its turn over, and it stays counted.
      await new Promise<void>((go) => queue.push(go));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    for (const [address, queue] of this.#queues) {
      const go = queue.shift();
      this.#queues.delete(address);
      if (queue.length > 0) this.#queues.set(address, queue);
      if (!go) continue;
      this.#waiting -= 1;
      go();
      return;
    }
    this.#running -= 1;
  }
}

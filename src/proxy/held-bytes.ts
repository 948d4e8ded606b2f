/** What Node keeps of a datagram besides its bytes: the Buffer, its store, the entry that waits. */
const besidesBytes = 256;

/** A bound on what a proxy holds of all clients together. */
export class HeldBytes {
  #held = 0;
  readonly #most: number;

  /** most: bytes of memory. */
  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Whether there is room for that many bytes more; if so, they are held. */
  hold(bytes: number): boolean {
    const needed = bytes + besidesBytes;
    if (this.#held + needed > this.#most) return false;
    this.#held += needed;
    return true;
  }

  release(bytes: number): void {
    this.#held -= bytes + besidesBytes;
  }
}

/**
 * The slots of a node and who has them. A slot is somebody's until it is given back or not renewed
 * in time, so that two gateways never fill the same one, whatever load they last heard of.
 */
export class LeaseBook {
  readonly #slots: number;
  readonly #ttlMs: number;
  readonly #expiresMs = new Map<number, number>();
  #lastLease = 0;
  #isForgetful = false;

  /**
   * @param slots Leases that may be held at once.
   * @param ttlMs How long a lease holds without being renewed.
   */
  constructor(slots: number, ttlMs: number) {
    this.#slots = slots;
    this.#ttlMs = ttlMs;
  }

  get slots(): number {
    return this.#slots;
  }

  get free(): number {
    return Math.max(0, this.#slots - this.#expiresMs.size);
  }

  /** A lease that nobody had before, or undefined when all slots are leased. */
  grant(nowMs: number): number | undefined {
    if (this.free === 0) return undefined;
    this.#lastLease += 1;
    if (!this.#isForgetful) this.#expiresMs.set(this.#lastLease, nowMs + this.#ttlMs);
    return this.#lastLease;
  }

  /**
   * Keeps no lease, neither those that are held nor what it goes on granting, until it is told
   * otherwise: a fault for load tests.
   */
  forget(isForgetful: boolean): void {
    this.#isForgetful = isForgetful;
    if (isForgetful) this.#expiresMs.clear();
  }

  has(lease: number): boolean {
    return this.#expiresMs.has(lease);
  }

  /** Keeps the leases from now on; those that have ended stay ended. */
  renew(leases: readonly number[], nowMs: number): void {
    for (const lease of leases) if (this.#expiresMs.has(lease)) this.#expiresMs.set(lease, nowMs + this.#ttlMs);
  }

  release(lease: number): void {
    this.#expiresMs.delete(lease);
  }

  /** Ends the leases that were not renewed in time, and names them. */
  expire(nowMs: number): readonly number[] {
    const ended = [...this.#expiresMs].filter(([, atMs]) => atMs <= nowMs).map(([lease]) => lease);
    for (const lease of ended) this.#expiresMs.delete(lease);
    return ended;
  }
}

/**
 * What of one partition is done. Work ends in any order, and a log is committed by its beginning:
 * up to the first record that is not done yet.
 */
export class DoneOffsets {
  /** Offsets that were delivered and not committed, in order, and whether their work is done. */
  readonly #open = new Map<bigint, boolean>();

  delivered(offset: bigint): void {
    this.#open.set(offset, false);
  }

  /**
   * @returns the offset to commit, behind the last that is done; undefined: one before it is not.
   */
  done(offset: bigint): bigint | undefined {
    if (!this.#open.has(offset)) return undefined;
    this.#open.set(offset, true);
    let upTo: bigint | undefined;
    for (const [at, isDone] of this.#open) {
      if (!isDone) break;
      this.#open.delete(at);
      upTo = at + 1n;
    }
    return upTo;
  }
}

/** Compressed bytes that are not what they say, or would become too many. */
export class BadCompression extends Error {
  override readonly name = 'BadCompression' as const;
}

/** Bytes as they come out of literals and copies of what came out before. */
export class Unpacked {
  readonly #most: number;
  #bytes: Buffer;
  #length = 0;

  /** @param most bytes beyond which it is given up */
  constructor(expected: number, most: number) {
    this.#most = most;
    this.#bytes = Buffer.alloc(Math.min(Math.max(0, expected), most));
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @throws BadCompression where `from` ends before */
  literal(from: Buffer, at: number, length: number): void {
    if (at + length > from.length) throw new BadCompression('it ends too early');
    this.#room(length);
    from.copy(this.#bytes, this.#length, at, at + length);
    this.#length += length;
  }

  /** Repeats `length` bytes from `back` bytes ago on; they may reach into those that they make. */
  copy(back: number, length: number): void {
    if (back < 1 || back > this.#length) throw new BadCompression('it refers to what is not there');
    this.#room(length);
    for (let at = this.#length, end = at + length; at < end; at += 1) this.#bytes[at] = this.#bytes[at - back]!;
    this.#length += length;
  }

  #room(length: number): void {
    const needed = this.#length + length;
    if (needed > this.#most) throw new BadCompression(`it has more than ${this.#most} bytes`);
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.min(this.#most, Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

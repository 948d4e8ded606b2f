/**
 * Writes protobuf into one buffer that it keeps: lengths are known before what they count, so that
 * nothing is written twice.
 */
export class MessageWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #at = 0;

  /** Bytes that were written since `take`. */
  get size(): number {
    return this.#at;
  }

  /** A field's number and wire type. */
  tag(field: number, wireType: number): void {
    this.uint32((field << 3) | wireType);
  }

  uint32(value: number): void {
    this.#grow(mostVarintBytes);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest >>>= 7;
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  float(value: number): void {
    this.#grow(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#grow(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.#grow(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** @param byteLength As `Buffer.byteLength` has it. */
  text(value: string, byteLength: number): void {
    this.#grow(byteLength);
    // A byte a character: there is nothing to encode, which takes as long as all the rest.
    this.#bytes.write(value, this.#at, byteLength, byteLength === value.length ? 'latin1' : 'utf8');
    this.#at += byteLength;
  }

  /** What was written since the call before. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    if (this.#bytes.length > mostKeptBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
    return taken;
  }

  #grow(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Bytes that a number takes as varint. */
export function uint32Size(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

const mostVarintBytes = 5;
const firstBytes = 64 * 1024;
/** What a replay once needed is not kept for ever. */
const mostKeptBytes = 1024 * 1024;

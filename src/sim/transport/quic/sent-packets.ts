const stride = 5;

/** What became of a packet. */
const OUTSTANDING = 0;
const SETTLED = 1;

/**
 * Packets sent and not yet settled, by number: a ring of (sent at us, start, end, bytes, what
 * became of it). Start and end are those of the stream's bytes, or of the datagrams' numbers; equal
 * when the packet carries none.
 */
export class SentPackets {
  /** Number of the oldest one kept, and of the next to be sent. */
  oldest = 0;
  next = 0;
  private ring = new Float64Array(16 * stride);

  push(sentUs: number, start: number, end: number, bytes: number): void {
    if ((this.next - this.oldest) * stride === this.ring.length) this.grow();
    const slot = this.slot(this.next++);
    this.ring[slot] = sentUs;
    this.ring[slot + 1] = start;
    this.ring[slot + 2] = end;
    this.ring[slot + 3] = bytes;
    this.ring[slot + 4] = OUTSTANDING;
  }

  sentUs(number: number): number {
    return this.ring[this.slot(number)]!;
  }

  start(number: number): number {
    return this.ring[this.slot(number) + 1]!;
  }

  end(number: number): number {
    return this.ring[this.slot(number) + 2]!;
  }

  bytes(number: number): number {
    return this.ring[this.slot(number) + 3]!;
  }

  isOutstanding(number: number): boolean {
    return number >= this.oldest && number < this.next && this.ring[this.slot(number) + 4] === OUTSTANDING;
  }

  settle(number: number): void {
    this.ring[this.slot(number) + 4] = SETTLED;
    while (this.oldest < this.next && this.ring[this.slot(this.oldest) + 4] === SETTLED) this.oldest++;
  }

  private slot(number: number): number {
    return (number * stride) % this.ring.length;
  }

  private grow(): void {
    const { ring } = this;
    this.ring = new Float64Array(ring.length * 2);
    for (let number = this.oldest; number < this.next; number++) {
      const from = (number * stride) % ring.length;
      this.ring.set(ring.subarray(from, from + stride), this.slot(number));
    }
  }
}

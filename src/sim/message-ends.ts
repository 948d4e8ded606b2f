/** Where the messages of a stream end, those that are not yet whole at the other end: a ring, first to last. */
export class MessageEnds {
  /** Number of the first that is not yet whole. */
  next = 0;
  private ring: number[] = new Array(8).fill(0);
  private written = 0;

  push(end: number): void {
    const { ring } = this;
    if (this.written - this.next === ring.length) {
      this.ring = new Array(ring.length * 2).fill(0);
      for (let number = this.next; number < this.written; number++) {
        this.ring[number & (this.ring.length - 1)] = ring[number & (ring.length - 1)]!;
      }
    }
    this.ring[this.written++ & (this.ring.length - 1)] = end;
  }

  /** Whether the first is whole when that much of the stream has arrived; if so, goes on to the next. */
  take(received: number): boolean {
    if (this.next === this.written || this.ring[this.next & (this.ring.length - 1)]! > received) return false;
    this.next++;
    return true;
  }
}

/**
 * Packets that wait for a link, told by the times at which they leave it: how many are still there.
 */
export class WaitingLine {
  private readonly limit: number;
  private leaves: number[] = [];
  private first = 0;

  /** limit: packets that may wait at once. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether a packet that comes at atUs finds no room. */
  isFull(atUs: number): boolean {
    while (this.first < this.leaves.length && this.leaves[this.first]! <= atUs) this.first++;
    if (this.first >= 8 && this.first * 2 >= this.leaves.length) {
      this.leaves = this.leaves.slice(this.first);
      this.first = 0;
    }
    return this.leaves.length - this.first >= this.limit;
  }

  /** Takes a packet that leaves the link at leaveUs. */
  add(leaveUs: number): void {
    this.leaves.push(leaveUs);
  }
}

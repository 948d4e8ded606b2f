/**
 * What the receiver holds beyond the first gap: byte ranges in order of sequence, and the SACK
 * blocks that report them, the most recent first, four at most (RFC 2018), with a duplicate before
 * them once (RFC 2883).
 */
export class Reassembly {
  /** start, end, start, end, ...: in order, apart from one another. */
  readonly ranges: number[] = [];
  /** start, end, ...: most recent first. */
  readonly blocks: number[] = [];
  duplicateStart = -1;
  duplicateEnd = -1;

  /** Data of [start, end) that lies beyond a gap. Returns whether any of it is new. */
  add(start: number, end: number): boolean {
    const { ranges } = this;
    let from = 0;
    while (from < ranges.length && ranges[from + 1]! < start) from += 2;
    if (from < ranges.length && ranges[from]! <= start && end <= ranges[from + 1]!) {
      this.reportDuplicate(start, end);
      return false;
    }
    let mergedStart = start;
    let mergedEnd = end;
    let to = from;
    while (to < ranges.length && ranges[to]! <= end) {
      mergedStart = Math.min(mergedStart, ranges[to]!);
      mergedEnd = Math.max(mergedEnd, ranges[to + 1]!);
      to += 2;
    }
    ranges.splice(from, to - from, mergedStart, mergedEnd);
    this.report(mergedStart, mergedEnd);
    return true;
  }

  /** In order up to `received`: goes on through what lies next, and forgets it. */
  advance(received: number): number {
    const { ranges, blocks } = this;
    let upTo = received;
    while (ranges.length > 0 && ranges[0]! <= upTo) {
      upTo = Math.max(upTo, ranges[1]!);
      ranges.splice(0, 2);
    }
    for (let at = blocks.length - 2; at >= 0; at -= 2) if (blocks[at]! < upTo) blocks.splice(at, 2);
    return upTo;
  }

  reportDuplicate(start: number, end: number): void {
    this.duplicateStart = start;
    this.duplicateEnd = end;
  }

  private report(start: number, end: number): void {
    const { blocks } = this;
    for (let at = blocks.length - 2; at >= 0; at -= 2) {
      if (blocks[at]! <= end && start <= blocks[at + 1]!) blocks.splice(at, 2);
    }
    blocks.unshift(start, end);
    if (blocks.length > 8) blocks.length = 8;
  }
}

/**
 * Where the messages of a stream end, those that are not yet whole at the other end. Audio frames
 * are all of one size, so that runs of equal ones are kept: on a network that does not carry them,
 * thousands wait.
 */
export class MessageEnds {
  /** Number of the first that is not yet whole. */
  next = 0;
  /**
   * size, count, size, count, ...: the first run from `first` on; the last one stays when it is
   * empty.
   */
  private readonly runs: number[] = [0, 0];
  private first = 0;
  private written = 0;
  private whole = 0;

  push(end: number): void {
    const { runs } = this;
    const size = end - this.written;
    const last = runs.length - 2;
    this.written = end;
    if (runs[last] === size) runs[last + 1]!++;
    else if (runs[last + 1] === 0) {
      runs[last] = size;
      runs[last + 1] = 1;
    } else runs.push(size, 1);
  }

  /**
   * Whether the first is whole when that much of the stream has arrived; if so, goes on to the
   * next.
   */
  take(received: number): boolean {
    const { runs, first } = this;
    const end = this.whole + runs[first]!;
    if (end > received || runs[first + 1] === 0) return false;
    this.whole = end;
    this.next++;
    if (--runs[first + 1]! === 0 && first + 2 < runs.length) this.goOn();
    return true;
  }

  /** The first run is empty, and there is another. */
  private goOn(): void {
    this.first += 2;
    if (this.first < mostEmpty) return;
    this.runs.splice(0, this.first);
    this.first = 0;
  }
}

/** Places of runs that are over, before they are given back. */
const mostEmpty = 32;

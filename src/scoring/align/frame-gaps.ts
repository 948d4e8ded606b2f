/**
 * Stretches of frames whose sound was lost, each added behind those before it. They are kept apart
 * and in order, so that looking one up near the newest frame costs the same however many there are.
 */
export class FrameGaps {
  readonly #gaps: [start: number, end: number][] = [];

  /** Frames [start, end); the next may touch or overlap it. */
  add(start: number, end: number): void {
    const last = this.#gaps.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else this.#gaps.push([start, end]);
  }

  /** Whether a frame of [start, end), which is not empty, was lost. */
  touch(start: number, end: number): boolean {
    for (let at = this.#gaps.length - 1; at >= 0; at--) {
      const [from, to] = this.#gaps[at]!;
      if (to <= start) return false;
      if (from < end) return true;
    }
    return false;
  }
}

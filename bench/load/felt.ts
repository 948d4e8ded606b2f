/**
 * What phones felt, seen by the server: each speaks on an absolute schedule of one frame each `frameMs`, whatever a load
 * generator really did. The schedule's phase is the earliest that any of its frames allows; a frame was felt as late as its
 * answer came after its place in it.
 */
export class Felt {
  readonly #frameMs: number;
  readonly #phones: number[][] = [];

  constructor(frameMs: number) {
    this.#frameMs = frameMs;
  }

  /** A new phone; to be called with the time of each answer. */
  phone(): (atMs: number) => void {
    const answers: number[] = [];
    this.#phones.push(answers);
    return (atMs) => void answers.push(atMs);
  }

  summary(): { frames: number; p50Ms: number; p99Ms: number; maxMs: number } {
    const all = this.#phones.flatMap((answers) => {
      const fromStart = answers.map((atMs, i) => atMs - i * this.#frameMs);
      const phase = fromStart.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
      return fromStart.map((ms) => ms - phase);
    });
    const sorted = Float64Array.from(all).sort();
    const at = (p: number) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
    return { frames: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
  }
}

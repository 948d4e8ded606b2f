/**
 * The newest frames of one session and how each came to the server. A frame's place counts all frames of the session's
 * sample clock, those never sent among them.
 */
export class PathTimes {
  readonly #lateMs = new Float32Array(ring);
  /** Only of learners on a simulated network: when each frame was due, and what its way up took. */
  #dueMs: Float64Array | undefined;
  #uplinkMs: Float32Array | undefined;

  /** `simulated`: `carried` will tell of each frame. */
  constructor(simulated: boolean) {
    if (!simulated) return;
    this.#dueMs = new Float64Array(ring);
    this.#uplinkMs = new Float32Array(ring).fill(Number.NaN);
  }

  sent(place: number, dueMs: number, nowMs: number): void {
    this.#lateMs[place % ring] = nowMs - dueMs;
    if (!this.#dueMs || !this.#uplinkMs) return;
    this.#dueMs[place % ring] = dueMs;
    this.#uplinkMs[place % ring] = Number.NaN;
  }

  /** The simulated network delivered the frame at `atMs`; it was passed on `lateMs` after that. */
  carried(place: number, atMs: number, lateMs: number): void {
    if (!this.#dueMs || !this.#uplinkMs) return;
    this.#lateMs[place % ring] = lateMs;
    this.#uplinkMs[place % ring] = atMs - this.#dueMs[place % ring]!;
  }

  /** How late the generator gave the frame on, ms. */
  lateMs(place: number): number {
    return this.#lateMs[place % ring]!;
  }

  /** What its way up took, ms, where that is known. */
  uplinkMs(place: number): number | undefined {
    const uplinkMs = this.#uplinkMs?.[place % ring];
    return uplinkMs === undefined || Number.isNaN(uplinkMs) ? undefined : uplinkMs;
  }
}

/** Frames of one session whose feedback may be outstanding at once: 20 s of 20 ms frames. */
const ring = 1024;

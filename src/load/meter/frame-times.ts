/**
 * The newest frames of one session and how each came to the server. A frame's place counts all
 * frames of the session's sample clock, those never sent among them.
 */
export class FrameTimes {
  /** How late each was sent, from `#begin` on; NaN for one that never was. */
  readonly #lateMs: Float32Array;
  readonly #begin: number;
  #sent = 0;
  #dropped = 0;
  #lost = 0;
  /** Frames from this place to the newest have not been reported. */
  #reportedTo = 0;
  #places = 0;
  /**
   * Only of learners on a simulated network: when each frame was due, what its way up took, how
   * late it was passed on.
   */
  readonly #carried: { dueMs: Float64Array; uplinkMs: Float32Array; lateMs: Float32Array } | undefined;

  /** `simulated`: `carried` will report each frame. */
  constructor(simulated: boolean) {
    this.#begin = ring * (sessions++ % sessionsAPool);
    if (this.#begin === 0) pool = new Float32Array(ring * sessionsAPool);
    this.#lateMs = pool;
    if (!simulated) return;
    this.#carried = {
      dueMs: new Float64Array(ring),
      uplinkMs: new Float32Array(ring),
      lateMs: new Float32Array(ring),
    };
  }

  /** Frames sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Frames that the app dropped, because too much waited to be sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Frames that the app lost before it sent them, by a fault of the test. */
  get lost(): number {
    return this.#lost;
  }

  /** Places that the next `report` passes over. */
  get unreported(): number {
    return this.#places - this.#reportedTo;
  }

  /** The frame at the next place was due at `dueMs` and sent at `nowMs`. */
  frameSent(dueMs: number, nowMs: number): void {
    const at = this.#places % ring;
    this.#places += 1;
    this.#sent += 1;
    this.#lateMs[this.#begin + at] = nowMs - dueMs;
    if (!this.#carried) return;
    this.#carried.dueMs[at] = dueMs;
    this.#carried.lateMs[at] = nowMs - dueMs;
    this.#carried.uplinkMs[at] = Number.NaN;
  }

  /** Notes that the frame at the next place is held back. */
  frameHeldBack(): void {
    const at = this.#places % ring;
    this.#lateMs[this.#begin + at] = Number.NaN;
    if (this.#carried) this.#carried.uplinkMs[at] = Number.NaN;
    this.#places += 1;
  }

  frameDropped(): void {
    this.frameHeldBack();
    this.#dropped += 1;
  }

  frameLost(): void {
    this.frameHeldBack();
    this.#lost += 1;
  }

  /**
   * Calls back each frame that was sent since the last call (of the newest thousand), and how late
   * it was, ms.
   */
  report(frame: (place: number, lateMs: number) => void): void {
    for (let place = Math.max(this.#reportedTo, this.#places - ring); place < this.#places; place++) {
      const lateMs = this.#lateMs[this.#begin + (place % ring)]!;
      if (!Number.isNaN(lateMs)) frame(place, lateMs);
    }
    this.#reportedTo = this.#places;
  }

  /** The simulated network delivered the frame at `atMs`; it was passed on `lateMs` after that. */
  carried(place: number, atMs: number, lateMs: number): void {
    if (!this.#carried) return;
    const at = place % ring;
    this.#carried.lateMs[at] = lateMs;
    this.#carried.uplinkMs[at] = atMs - this.#carried.dueMs[at]!;
  }

  /**
   * How late the generator gave the frame on, ms; 0 for one that it never sent, which delayed
   * nothing.
   */
  lateMs(place: number): number {
    const lateMs = this.#lateMs[this.#begin + (place % ring)]!;
    if (Number.isNaN(lateMs)) return 0;
    return this.#carried ? this.#carried.lateMs[place % ring]! : lateMs;
  }

  /** What its way up took, ms, where that is known. */
  uplinkMs(place: number): number | undefined {
    const uplinkMs = this.#carried?.uplinkMs[place % ring];
    return uplinkMs === undefined || Number.isNaN(uplinkMs) ? undefined : uplinkMs;
  }
}

/** Frames of one session whose feedback may be outstanding at once: 20 s of 20 ms frames. */
const ring = 1024;

/**
 * Sessions share the memory of their rings: an array of each one's own would be another thing to
 * wait for at each frame.
 */
const sessionsAPool = 64;
let pool = new Float32Array(0);
let sessions = 0;

/**
 * Memory of a ring of records between two threads, one of which writes and the other reads. Neither
 * ever waits for the other, and nothing is cloned.
 */
export type RingMemory = { control: SharedArrayBuffer; records: SharedArrayBuffer };

/** @param bytes A power of two; a record takes half of it at most. */
export function newRing(bytes: number): RingMemory {
  return { control: new SharedArrayBuffer(controlBytes), records: new SharedArrayBuffer(bytes) };
}

/** The same memory as numbers of each width, and as text; an index is a byte offset divided by the
 * width. */
export class Numbers {
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly bytes: Buffer;

  constructor(memory: ArrayBufferLike) {
    this.int16 = new Int16Array(memory);
    this.int32 = new Int32Array(memory);
    this.float32 = new Float32Array(memory);
    this.float64 = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
  }
}

/**
 * The writing end. A record is a kind and a payload, whose memory begins at a multiple of 8 bytes.
 * What finds no room waits here, in order, until `flush` finds some: nothing is lost, and whoever
 * writes has to look at `isFull` where nothing else bounds what it says.
 */
export class RingWriter {
  readonly #ring: Numbers;
  readonly #control: Int32Array;
  readonly #units: number;
  #tail: number;
  /** Where the record that is being written will end, and whether it will have to wait. */
  #end = 0;
  #isLate = false;
  #waiting = new Numbers(new ArrayBuffer(0));
  /** Units of `#waiting` that are filled, and of them those that were flushed. */
  #waitingUnits = 0;
  #flushedUnits = 0;

  constructor({ control, records }: RingMemory) {
    this.#ring = new Numbers(records);
    this.#control = new Int32Array(control);
    this.#units = records.byteLength / unitBytes;
    this.#tail = Atomics.load(this.#control, tailAt);
  }

  /** Whether records wait for room. */
  get isFull(): boolean {
    return this.#waitingUnits > 0;
  }

  /** A record has no more bytes than this. */
  get largestBytes(): number {
    return (this.#units / 2 - 1) * unitBytes;
  }

  /** The memory that the last `begin` spoke of. */
  get memory(): Numbers {
    return this.#isLate ? this.#waiting : this.#ring;
  }

  /**
   * Makes room for a record and returns the byte offset of its payload in `memory`. It is there for
   * the reader after `commit`; one that is not committed never was.
   *
   * @param kind From 0.
   * @throws RangeError for more than `largestBytes`.
   */
  begin(kind: number, bytes: number): number {
    const units = 1 + Math.ceil(bytes / unitBytes);
    if (bytes > this.largestBytes) throw new RangeError(`a record of ${bytes} bytes does not fit into the ring`);
    const at = this.isFull ? -1 : this.#place(units);
    this.#isLate = at < 0;
    return this.#isLate ? this.#beginWaiting(kind, units) : this.#head(this.#ring, at, kind, units);
  }

  commit(): void {
    if (this.#isLate) this.#waitingUnits = this.#end;
    else this.#publish(this.#end);
  }

  /** Moves what waits into the ring as far as there is room. */
  flush(): void {
    const { int32, float64 } = this.#waiting;
    while (this.#flushedUnits < this.#waitingUnits) {
      const from = this.#flushedUnits;
      const units = int32[2 * from]!;
      const at = this.#place(units);
      if (at < 0) {
        this.#forgetFlushed();
        return;
      }
      this.#ring.float64.set(float64.subarray(from, from + units), at);
      this.#publish(this.#end);
      this.#flushedUnits += units;
    }
    this.#waitingUnits = this.#flushedUnits = 0;
    if (this.#waiting.float64.length > keptWaitingUnits) this.#waiting = new Numbers(new ArrayBuffer(0));
  }

  /**
   * Whether the reader is to be woken: it said that it sleeps, and nobody has claimed to wake it
   * since.
   */
  claimWake(): boolean {
    return Atomics.load(this.#control, asleepAt) === 1 && Atomics.compareExchange(this.#control, asleepAt, 1, 0) === 1;
  }

  /** The unit at which `units` in one piece begin, or -1; sets where they end. */
  #place(units: number): number {
    const used = (this.#tail - Atomics.load(this.#control, headAt)) >>> 0;
    const at = (this.#tail >>> 0) % this.#units;
    const untilEnd = this.#units - at;
    const skipped = units > untilEnd ? untilEnd : 0;
    if (used + skipped + units > this.#units) return -1;
    if (skipped > 0) this.#head(this.#ring, at, skip, skipped);
    this.#end = (this.#tail + skipped + units) | 0;
    return skipped > 0 ? 0 : at;
  }

  #forgetFlushed(): void {
    if (2 * this.#flushedUnits < this.#waitingUnits) return;
    this.#waiting.float64.copyWithin(0, this.#flushedUnits, this.#waitingUnits);
    this.#waitingUnits -= this.#flushedUnits;
    this.#flushedUnits = 0;
  }

  #publish(end: number): void {
    this.#tail = end;
    Atomics.store(this.#control, tailAt, end);
  }

  #head({ int32 }: Numbers, unit: number, kind: number, units: number): number {
    int32[2 * unit] = units;
    int32[2 * unit + 1] = kind;
    return (unit + 1) * unitBytes;
  }

  #beginWaiting(kind: number, units: number): number {
    const at = this.#waitingUnits;
    this.#end = at + units;
    if (this.#end > this.#waiting.float64.length) {
      const larger = new Numbers(new ArrayBuffer(2 * this.#end * unitBytes));
      larger.float64.set(this.#waiting.float64.subarray(0, at));
      this.#waiting = larger;
    }
    return this.#head(this.#waiting, at, kind, units);
  }
}

/** The reading end. */
export class RingReader {
  readonly memory: Numbers;
  readonly #control: Int32Array;
  readonly #units: number;
  #head: number;
  #next: number;
  #kind = 0;
  #bytes = 0;

  constructor({ control, records }: RingMemory) {
    this.memory = new Numbers(records);
    this.#control = new Int32Array(control);
    this.#units = records.byteLength / unitBytes;
    this.#head = this.#next = Atomics.load(this.#control, headAt);
  }

  /** The kind of the record that `next` came to. */
  get kind(): number {
    return this.#kind;
  }

  /** The bytes of its payload: at most 7 more than were written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Moves on to the next record and returns the byte offset of its payload, or -1 where there is
   * none. The memory of the record before is given back to the writer.
   */
  next(): number {
    const { int32 } = this.memory;
    const tail = Atomics.load(this.#control, tailAt);
    while (this.#next !== tail) {
      const at = (this.#next >>> 0) % this.#units;
      const units = int32[2 * at]!;
      this.#kind = int32[2 * at + 1]!;
      this.#giveBack();
      this.#next = (this.#next + units) | 0;
      if (this.#kind === skip) continue;
      this.#bytes = (units - 1) * unitBytes;
      return (at + 1) * unitBytes;
    }
    this.#giveBack();
    return -1;
  }

  get isEmpty(): boolean {
    return this.#next === Atomics.load(this.#control, tailAt);
  }

  /**
   * Says that nobody looks until somebody wakes it; false when something has come, which has to be
   * looked at.
   */
  sleep(): boolean {
    Atomics.store(this.#control, asleepAt, 1);
    if (this.isEmpty) return true;
    this.wake();
    return false;
  }

  /** Says that it looks by itself. */
  wake(): void {
    if (Atomics.load(this.#control, asleepAt) === 1) Atomics.store(this.#control, asleepAt, 0);
  }

  #giveBack(): void {
    if (this.#head === this.#next) return;
    this.#head = this.#next;
    Atomics.store(this.#control, headAt, this.#head);
  }
}

/** Records are counted in these: every payload is aligned for any number. */
const unitBytes = 8;
/**
 * Places in `control`: how far was written and read, in units that wrap at 2^32, and whether the
 * reader sleeps. They lie on cache lines of their own, so that the threads do not wait for each
 * other's.
 */
const tailAt = 0;
const headAt = 16;
const asleepAt = 32;
const controlBytes = 192;
/** The kind of what is left over at the end of the memory. */
const skip = -1;
/** What stays for the next time that there is no room, 64 KB: the memory of a burst goes back. */
const keptWaitingUnits = 8192;

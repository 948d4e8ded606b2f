import { type DeadLetters, deadLetterOf, replayNoteOf, replayOf } from './dead-letter.ts';
import { type Delivery, QueueError, type QueueRecord, type WorkQueue } from './work-queue.ts';

/** How much a queue holds, for how long, and who is told what that costs. */
export type MemoryBounds = {
  /** The values of all records that nobody has committed. */
  maxBytes: number;
  /** How long a record waits, ms. */
  maxAgeMs: number;
  /** A record that nobody had begun is gone. */
  onDropped(record: Delivery, why: 'full' | 'old'): void;
};

/**
 * A queue for one process, and the plain statement of what every queue does. What it holds is lost
 * with the process. With bounds the oldest record makes room for the newest, and what is put aside
 * is not kept: no other program could look at it.
 */
export class MemoryQueue implements WorkQueue {
  /** What was put aside, the oldest first. */
  readonly dead: Delivery[] = [];
  readonly #wallMs: () => number;
  readonly #bounds: MemoryBounds | undefined;
  readonly #waiting: Delivery[] = [];
  readonly #uncommitted = new Map<string, Delivery>();
  #bytes = 0;
  #appended = 0;
  #isClosed = false;
  #onAppended: (() => void) | undefined;
  #onEmpty: (() => void)[] = [];

  /** @param wallMs ms since 1970 */
  constructor(wallMs: () => number, bounds?: MemoryBounds) {
    this.#wallMs = wallMs;
    this.#bounds = bounds;
  }

  /** Records that nobody has committed. */
  get size(): number {
    return this.#waiting.length + this.#uncommitted.size;
  }

  /** Bytes of their values. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(record: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    const place = `0:${this.#appended++}`;
    this.#waiting.push({ ...record, place, appendedMs: this.#wallMs() });
    this.#bytes += record.value.byteLength;
    this.dropOld();
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#bounds ?? {};
    while (this.#bytes > maxBytes && this.#waiting.length > 0) this.#drop('full');
    this.#onAppended?.();
  }

  async consume(handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    while (!this.#isClosed) {
      this.dropOld();
      const next = this.#waiting.shift();
      if (next) {
        this.#uncommitted.set(next.place, next);
        await handle(next);
      } else await new Promise<void>((resolve) => (this.#onAppended = resolve));
    }
  }

  async commit({ place }: Delivery): Promise<void> {
    const done = this.#uncommitted.get(place);
    if (!done) return;
    this.#uncommitted.delete(place);
    this.#gone(done);
  }

  async deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void> {
    if (!this.#bounds) this.#putAside(deadLetterOf(delivery, reason, tries));
  }

  /** Lets go of what has waited for too long; to be called now and then. */
  dropOld(): void {
    const { maxAgeMs = Number.POSITIVE_INFINITY } = this.#bounds ?? {};
    const fromMs = this.#wallMs() - maxAgeMs;
    while (this.#waiting.length > 0 && this.#waiting[0]!.appendedMs <= fromMs) this.#drop('old');
  }

  /** Resolves once everything is committed, or gone. */
  async empty(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  /** Takes out what nobody has committed, the oldest first: whoever closes it loses that. */
  takeRest(): Delivery[] {
    const rest = [...this.#uncommitted.values(), ...this.#waiting.splice(0)];
    this.#uncommitted.clear();
    for (const record of rest) this.#gone(record);
    return rest;
  }

  /** What was put aside, and the way back. */
  letters(): DeadLetters {
    return {
      read: async (visit) => {
        for (const letter of [...this.dead]) await visit(letter);
      },
      replay: async (letter) => {
        await this.append(replayOf(letter));
        this.#putAside(replayNoteOf(letter));
      },
      close: async () => {},
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onAppended?.();
  }

  #putAside(record: QueueRecord): void {
    this.dead.push({ ...record, place: `0:${this.dead.length}`, appendedMs: this.#wallMs() });
  }

  #drop(why: 'full' | 'old'): void {
    const oldest = this.#waiting.shift()!;
    this.#gone(oldest);
    this.#bounds?.onDropped(oldest, why);
  }

  #gone({ value }: Delivery): void {
    this.#bytes -= value.byteLength;
    if (this.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

import { type DeadLetters, deadLetterOf, replayNoteOf, replayOf } from './dead-letter.ts';
import { type Delivery, QueueError, type QueueRecord, type WorkQueue } from './work-queue.ts';

/**
 * A queue for one process, and the plain statement of what every queue does. What it holds is lost
 * with the process.
 *
 * @param wallMs ms since 1970
 */
export class MemoryQueue implements WorkQueue {
  /** What was put aside, the oldest first. */
  readonly dead: Delivery[] = [];
  readonly #wallMs: () => number;
  readonly #waiting: Delivery[] = [];
  readonly #uncommitted = new Map<string, Delivery>();
  #appended = 0;
  #isClosed = false;
  #onAppended: (() => void) | undefined;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Records that nobody has committed. */
  get size(): number {
    return this.#waiting.length + this.#uncommitted.size;
  }

  async append(record: QueueRecord): Promise<void> {
    if (this.#isClosed) throw new QueueError('closed', 'the queue is closed');
    const place = `0:${this.#appended++}`;
    this.#waiting.push({ ...record, place, appendedMs: this.#wallMs() });
    this.#onAppended?.();
  }

  async consume(handle: (delivery: Delivery) => Promise<void>): Promise<void> {
    while (!this.#isClosed) {
      const next = this.#waiting.shift();
      if (next) {
        this.#uncommitted.set(next.place, next);
        await handle(next);
      } else await new Promise<void>((resolve) => (this.#onAppended = resolve));
    }
  }

  async commit({ place }: Delivery): Promise<void> {
    this.#uncommitted.delete(place);
  }

  async deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void> {
    this.#putAside(deadLetterOf(delivery, reason, tries));
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
}

/**
 * A piece of work as it is kept: records of one key come in the order in which they were appended.
 */
export type QueueRecord = {
  key: string;
  value: Uint8Array;
  headers: Readonly<Record<string, string>>;
};

/** A record on its way to whoever does the work. */
export type Delivery = QueueRecord & {
  /** Where it lies, as `partition:offset`: no other record of the queue has the same. */
  place: string;
  appendedMs: number;
};

/**
 * Work that outlives whoever has it. Each record is delivered until it is committed, so that a
 * worker which dies loses nothing, and may be delivered twice: the work has to bear that.
 */
export type WorkQueue = {
  /**
   * Resolves when the record is kept.
   *
   * @throws QueueError
   */
  append(record: QueueRecord): Promise<void>;
  /**
   * Hands every record to `handle`, one of a partition after the other: the next when the promise
   * for the one before has resolved, which need not mean that its work is done. To be called once.
   *
   * @returns a promise that resolves when the queue is closed
   * @throws QueueError when the queue can never go on
   */
  consume(handle: (delivery: Delivery) => Promise<void>): Promise<void>;
  /**
   * The work is done, and its result kept. Of several at once the order does not matter.
   *
   * @throws QueueError when that could not be kept: the record comes once more.
   */
  commit(delivery: Delivery): Promise<void>;
  /**
   * Puts a record aside for a person to look at, with the reason and how often it was tried; it is
   * still to be committed.
   *
   * @throws QueueError
   */
  deadLetter(delivery: Delivery, reason: string, tries?: number): Promise<void>;
  /** Delivers nothing more; what was not committed is delivered again to others. */
  close(): Promise<void>;
};

/** The headers of a dead letter: why it is one, where it lay, its tries; and that of a note. */
export const deadHeaders = {
  reason: 'dead-reason',
  from: 'dead-from',
  tries: 'dead-tries',
  replayed: 'dead-replayed',
} as const;

/** The header of work that was a dead letter: which, so that its tries are counted anew once. */
export const replayHeader = 'replay-of';

/** The header of a record that stands for one which the queue cannot read: why. */
export const unreadableHeader = 'unreadable';

/** The header that names the span which sent a record (W3C Trace Context). */
export const traceHeader = 'traceparent';

/** Why a queue did not do what it was asked. */
export type QueueTrouble =
  | 'unreachable'
  | 'no_topic'
  | 'too_large'
  | 'unauthorized'
  | 'forbidden'
  | 'other_version'
  | 'closed'
  | 'failed';

/** A queue that did not answer, or answered that it cannot. */
export class QueueError extends Error {
  override readonly name = 'QueueError' as const;
  readonly why: QueueTrouble;

  constructor(why: QueueTrouble, message: string) {
    super(message);
    this.why = why;
  }
}

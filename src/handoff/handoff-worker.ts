import { backoffMs } from '../backoff.ts';
import { exitCodes, SpeechfbError } from '../errors.ts';
import { type Delivery, QueueError, replayHeader, unreadableHeader, type WorkQueue } from '../queue/work-queue.ts';
import type { FinishedUtterance, ResultStore } from '../stores/result-store.ts';
import { StoreError } from '../stores/session-store.ts';
import { openRecord } from './cipher.ts';
import type { HandoffLog } from './handoff.ts';
import { type HandedUtterance, type RecordHead, readHead, UnprovenRecord, UnreadableRecord } from './record.ts';

export type HandoffWorkerOptions = {
  queue: WorkQueue;
  results: ResultStore;
  /** The final of an utterance. */
  score(head: RecordHead, utterance: HandedUtterance, delivery: Delivery): Promise<object>;
  region: string;
  /** Utterances at once; one that waits for another try is none of them. */
  atOnce: number;
  /** How often an utterance is tried before it is put aside. */
  tries: number;
  /**
   * While records of more bytes than that wait for their next try nothing more is begun; default 64
   * MiB, some twenty minutes of sound.
   */
  maxRestingBytes?: number;
  /** How long results are kept, ms. */
  keepMs: number;
  /**
   * Resolves when there is room for one more, or at `untilMs` since 1970 at the latest. Absent:
   * there always is.
   */
  room?(untilMs: number): Promise<void>;
  /** Whether nobody can look at what the queue puts aside; default: somebody can. */
  losesDead?: boolean;
  log: HandoffLog;
  /** Ms since 1970. */
  wallMs(): number;
  pause(ms: number): Promise<void>;
  /** In [0, 1). */
  random(): number;
};

/** What became of records, counted. */
const workerOutcomes = ['scored', 'known', 'gone', 'expired', 'dead'] as const;
export type WorkerOutcome = (typeof workerOutcomes)[number];

/**
 * Scores what was handed over. A record is committed when its result is kept, and a result is
 * written once: a worker may die at any moment, and nothing is lost or doubled.
 */
export class HandoffWorker {
  readonly #options: HandoffWorkerOptions;
  /** What is being worked on, by record. */
  readonly #going = new Map<string, Going>();
  readonly #counts = Object.fromEntries(workerOutcomes.map((name) => [name, 0])) as Record<WorkerOutcome, number>;
  #isDraining = false;
  /** Nobody waits any more for what is going. */
  #isOver = false;
  /** How many of `#going` do not wait for another try. */
  #busy = 0;
  /** Bytes of the others. */
  #restingBytes = 0;
  /** Partitions whose next record waits for room, and records that wait for their next try. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: HandoffWorkerOptions) {
    this.#options = options;
  }

  get counts(): Readonly<Record<WorkerOutcome, number>> {
    return { ...this.#counts };
  }

  /** Utterances that are being scored, or wait for another try. */
  get going(): number {
    return this.#going.size;
  }

  /**
   * Works until the queue is closed.
   *
   * @throws QueueError when the queue can never go on
   */
  async run(): Promise<void> {
    await this.#options.queue.consume((delivery) => this.#take(delivery));
  }

  /**
   * Begins nothing more, and waits at most `ms` for what is going; what is not done then comes
   * again.
   */
  async drain(ms: number): Promise<{ left: number }> {
    this.#isDraining = true;
    this.#wake();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([Promise.all([...this.#going.values()].map(({ work }) => work)), late]);
    clearTimeout(timer);
    this.#isOver = true;
    return { left: this.#going.size };
  }

  /**
   * Resolves when there is room for the next. Workers that join or leave have all that is not
   * committed delivered once more: what is being worked on here is not begun again.
   */
  async #take(delivery: Delivery): Promise<void> {
    const { maxRestingBytes = mostRestingBytes } = this.#options;
    await this.#room(() => this.#restingBytes <= maxRestingBytes);
    if (this.#isDraining) return;
    const record = recordOf(delivery);
    const before = this.#going.get(record);
    if (before) {
      before.deliveries.push(delivery);
      return;
    }
    const deliveries = [delivery];
    this.#busy += 1;
    const work = this.#work(deliveries, () => {
      this.#going.delete(record);
      this.#busy -= 1;
      this.#wake();
    });
    this.#going.set(record, { deliveries, work });
  }

  /** Resolves when one more may be worked on, or none any more. */
  async #room(isRoom: () => boolean): Promise<void> {
    while (!this.#isDraining && (this.#busy >= this.#options.atOnce || !isRoom())) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  /**
   * Waits before the next try. Others are worked on meanwhile: records that fail again and again
   * would keep all behind them waiting for minutes.
   */
  async #rest({ value }: Delivery, ms: number): Promise<void> {
    this.#busy -= 1;
    this.#restingBytes += value.byteLength;
    this.#wake();
    await this.#options.pause(ms);
    await this.#room(() => true);
    this.#busy += 1;
    this.#restingBytes -= value.byteLength;
    this.#wake();
  }

  /** Has all who wait look whether there is room for them. */
  #wake(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  /**
   * @param deliveries of one record, to which those are added that come meanwhile
   * @param over no more of them are looked at
   */
  async #work(deliveries: readonly Delivery[], over: () => void): Promise<void> {
    try {
      const outcome = await this.#settle(deliveries[0]!);
      this.#counts[outcome] += 1;
      for (const delivery of deliveries) await this.#commit(delivery);
    } catch (error) {
      this.#notCommitted(deliveries[0]!, error);
    } finally {
      over();
    }
  }

  async #commit(delivery: Delivery): Promise<void> {
    try {
      await this.#options.queue.commit(delivery);
    } catch (error) {
      this.#notCommitted(delivery, error);
    }
  }

  /** It comes again, here or at another worker, and is found to be done. */
  #notCommitted({ place }: Delivery, error: unknown): void {
    if (!(error instanceof QueueError)) throw error;
    this.#options.log.info({ place, why: error.message }, 'a record could not be committed');
  }

  async #settle(delivery: Delivery): Promise<WorkerOutcome> {
    const head = headOf(delivery);
    if ('problem' in head) return await this.#dead(delivery, undefined, head.problem);
    const { region } = this.#options;
    if (head.region !== region) {
      return await this.#dead(delivery, undefined, `it is of region "${head.region}", and this worker of "${region}"`);
    }
    return await this.#score(delivery, head);
  }

  async #score(delivery: Delivery, head: RecordHead): Promise<WorkerOutcome> {
    const { results, score, tries, room, wallMs, random, log } = this.#options;
    const { session, utterance } = head;
    const name = { sessionId: session, utteranceId: utterance };
    for (;;) {
      if (room) {
        await room(head.expiresMs);
        if (this.#isDraining) throw theEnd();
      }
      if (head.expiresMs <= wallMs()) return await this.#tooOld(head);
      const begun = await this.#patiently(() => results.begin(name, delivery.headers[replayHeader]));
      if (begun.kind !== 'wanted') {
        if (begun.kind === 'finished') return 'known';
        log.warn({ session, utterance }, 'the key of an utterance is gone: it was erased, or ran out');
        return 'gone';
      }
      // A record that ends its worker is counted before it does.
      if (begun.tries > tries) {
        return await this.#dead(delivery, head, `it ended its worker ${tries} times`, tries);
      }
      try {
        const final = await score(head, openRecord(delivery.value, begun.dataKey).utterance, delivery);
        const written = await this.#finish(head, { state: 'done', value: JSON.stringify(final) });
        return written === 'written' ? 'scored' : written === 'already' ? 'known' : 'gone';
      } catch (error) {
        if (error instanceof QueueError) throw error;
        // Whoever ended the worker may have ended the model too.
        if (this.#isOver) throw theEnd();
        const why = error instanceof Error ? error.message : String(error);
        // It says nothing of the utterance: another record may be the one that its gateway wrote.
        if (error instanceof UnprovenRecord) return await this.#dead(delivery, undefined, why, begun.tries);
        if (isForGood(error) || begun.tries >= tries) return await this.#dead(delivery, head, why, begun.tries);
        log.warn(
          { session, utterance, tries: begun.tries, why },
          'an utterance could not be scored, and is tried again',
        );
        await this.#rest(delivery, backoffMs(begun.tries - 1, random, againAfter));
      }
    }
  }

  async #tooOld(head: RecordHead): Promise<WorkerOutcome> {
    await this.#finish(head, { state: 'failed', value: 'nobody scored it for as long as sound is kept' });
    const { session, utterance } = head;
    this.#options.log.warn({ session, utterance }, 'an utterance was too old to be scored');
    return 'expired';
  }

  /** Puts a record aside; the learner of `head` is told that nothing comes. */
  async #dead(delivery: Delivery, head: RecordHead | undefined, why: string, tries?: number): Promise<WorkerOutcome> {
    const { queue, log, losesDead } = this.#options;
    await this.#patiently(() => queue.deadLetter(delivery, why, tries));
    const fields = { place: delivery.place, session: head?.session, utterance: head?.utterance, why };
    log.error(fields, losesDead ? 'an utterance was given up' : 'a record was put aside');
    if (head) await this.#finish(head, { state: 'failed', value: 'it could not be scored' });
    return 'dead';
  }

  #finish(head: RecordHead, outcome: FinishedUtterance): Promise<'written' | 'already' | 'gone'> {
    const { results, keepMs } = this.#options;
    const name = { sessionId: head.session, utteranceId: head.utterance };
    return this.#patiently(() => results.finish(name, outcome, keepMs));
  }

  /** Does what a store or a queue that is away for a while does not let it do yet. */
  async #patiently<Value>(step: () => Promise<Value>): Promise<Value> {
    const { pause, random, log } = this.#options;
    for (let tries = 0; ; tries += 1) {
      try {
        return await step();
      } catch (error) {
        const isAway = error instanceof StoreError || (error instanceof QueueError && error.why === 'unreachable');
        if (!isAway || this.#isDraining) throw asQueueError(error);
        if (tries === 0) log.warn({ why: error.message }, 'a worker waits');
        await pause(backoffMs(tries, random, againAfter));
      }
    }
  }
}

/** How often one record was delivered, and the work on it. */
type Going = { deliveries: Delivery[]; work: Promise<void> };

/** Names a record; a queue that lost what it had gives places away anew. */
function recordOf({ place, key, appendedMs }: Delivery): string {
  return `${place} ${appendedMs} ${key}`;
}

function headOf({ value, headers }: Delivery): RecordHead | { problem: string } {
  const unreadable = headers[unreadableHeader];
  if (unreadable !== undefined) return { problem: unreadable };
  try {
    return readHead(value).head;
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return { problem: error.message };
  }
}

/** A thread that dies with all that it had in hand says nothing of any record of that. */
function isForGood(error: unknown): boolean {
  if (error instanceof SpeechfbError) return error.exitCode !== exitCodes.bug;
  return error instanceof UnreadableRecord;
}

/** Why a record is not committed by a worker that ends. */
function theEnd(): QueueError {
  return new QueueError('closed', 'the worker ends');
}

/** A step that is given up since the worker ends: its record is not committed. */
function asQueueError(error: unknown): unknown {
  return error instanceof StoreError ? new QueueError('unreachable', error.message) : error;
}

const mostRestingBytes = 67_108_864;
const againAfter = { firstMs: 500, maxMs: 30_000 };

import { MemoryQueue } from '../queue/memory-queue.ts';
import type { TracedQueue } from '../queue/traced-queue.ts';
import type { Delivery, WorkQueue } from '../queue/work-queue.ts';
import type { ResultStore } from '../stores/result-store.ts';
import { StoreError } from '../stores/session-store.ts';
import type { HandoffLog } from './handoff.ts';
import { HandoffWorker, type WorkerOutcome } from './handoff-worker.ts';
import { readHead } from './record.ts';
import { type HandedScoring, scoreHanded } from './score-handed.ts';

export type LocalHandoffOptions = {
  results: ResultStore;
  /** Whether other processes read the results: what waits is scored then while this one ends. */
  sharesResults: boolean;
  region: string;
  /** How long sound waits, and results are kept, ms. */
  keepMs: number;
  /** Sound that waits in all. */
  maxBytes: number;
  /** Follows what waits; absent: nobody does. */
  traced?: ((queue: WorkQueue) => TracedQueue) | undefined;
  log: HandoffLog;
  /** Ms since 1970. */
  wallMs(): number;
  /** Waits; nothing is kept alive by that. */
  pause(ms: number): Promise<void>;
  /** In [0, 1). */
  random(): number;
};

/** What scores here. */
export type LocalWork = {
  scoring: HandedScoring;
  /** Whether nobody who speaks would feel it. */
  hasRoom(): boolean;
};

/** Why what was handed over here is never scored. */
const losses = {
  full: 'too much waits to be scored: the oldest makes room for the newest',
  expired: 'nobody scored it for as long as sound is kept',
  ended: 'the server ended before it was scored',
} as const;
type Loss = keyof typeof losses;

/** What waits to be scored in this process, and what became of the rest. */
export type LocalNumbers = {
  waiting: number;
  waitingBytes: number;
  outcomes: Readonly<Record<WorkerOutcome | Loss, number>>;
};

/**
 * Scores what was handed over in the process that handed it over, one utterance at a time and only
 * while there is room. What it holds is bounded, and lost with the process; each loss is said.
 */
export class LocalHandoff {
  readonly #options: LocalHandoffOptions;
  readonly #queue: MemoryQueue;
  readonly #traced: TracedQueue | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #lost: Record<Loss, number> = { full: 0, expired: 0, ended: 0 };
  #worker: HandoffWorker | undefined;
  #isClosing = false;

  constructor(options: LocalHandoffOptions) {
    const { maxBytes, keepMs, wallMs, traced } = options;
    this.#options = options;
    this.#queue = new MemoryQueue(wallMs, {
      maxBytes,
      maxAgeMs: keepMs,
      onDropped: (record, why) => void this.#lose(record, why === 'full' ? 'full' : 'expired'),
    });
    this.#traced = traced?.(this.#queue);
    this.#timer = setInterval(() => this.#queue.dropOld(), tidiedEveryMs).unref();
  }

  /** Where it is handed over. */
  get queue(): Pick<WorkQueue, 'append'> {
    return this.#traced ?? this.#queue;
  }

  get numbers(): LocalNumbers {
    const counts = this.#worker?.counts ?? nothingDone;
    const outcomes = { ...counts, ...this.#lost, expired: counts.expired + this.#lost.expired };
    return { waiting: this.#queue.size, waitingBytes: this.#queue.bytes, outcomes };
  }

  /** Scores from here on what has come, and what comes. */
  begin({ scoring, hasRoom }: LocalWork): void {
    const { results, region, keepMs, log, wallMs, pause, random } = this.#options;
    const room = async (untilMs: number): Promise<void> => {
      while (!this.#isClosing && !hasRoom() && wallMs() < untilMs) await pause(lookedEveryMs);
    };
    const traced = this.#traced;
    const worker = new HandoffWorker({
      ...{ queue: traced ?? this.#queue, results, region, keepMs, log, wallMs, pause, random, room },
      atOnce: 1,
      tries: mostTries,
      losesDead: true,
      score(head, utterance, delivery) {
        const pace = async (): Promise<void> => {
          await room(head.expiresMs);
          if (wallMs() >= head.expiresMs) throw new Error(losses.expired);
        };
        const score = (): Promise<object> => scoreHanded({ ...scoring, pace }, head, utterance);
        return traced ? traced.part(delivery, 'score', score) : score();
      },
    });
    this.#worker = worker;
    void worker.run();
  }

  /**
   * Takes nothing more. Where others read the results what waits is scored for `ms` at most; what
   * is left then is lost.
   */
  async close(ms: number): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    if (this.#worker && this.#options.sharesResults) await this.#work(ms);
    await this.#worker?.drain(0);
    await this.#queue.close();
    await Promise.all(this.#queue.takeRest().map((record) => this.#lose(record, 'ended')));
  }

  async #work(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.#queue.empty(), late]);
    clearTimeout(timer);
  }

  /** Its learner is told that nothing comes. */
  async #lose(record: Delivery, why: Loss): Promise<void> {
    const { results, keepMs, log } = this.#options;
    const { session, utterance } = readHead(record.value).head;
    this.#traced?.lost(record, why);
    this.#lost[why] += 1;
    log.warn({ session, utterance, why: losses[why] }, 'an utterance is not scored later');
    const failed = { state: 'failed', value: losses[why] } as const;
    await results.finish({ sessionId: session, utteranceId: utterance }, failed, keepMs).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
    });
  }
}

const nothingDone: Readonly<Record<WorkerOutcome, number>> = { scored: 0, known: 0, gone: 0, expired: 0, dead: 0 };
const mostTries = 5;
/** How often it is looked whether there is room. */
const lookedEveryMs = 100;
const tidiedEveryMs = 1000;

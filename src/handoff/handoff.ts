import { backoffMs } from '../backoff.ts';
import { QueueError, traceHeader, type WorkQueue } from '../queue/work-queue.ts';
import type { ResultStore } from '../stores/result-store.ts';
import { StoreError } from '../stores/session-store.ts';
import { newDataKey, sealRecord } from './cipher.ts';
import type { HandedUtterance } from './record.ts';

export type HandoffOptions = {
  queue: Pick<WorkQueue, 'append'>;
  results: ResultStore;
  region: string;
  /** How long sound and results are kept, ms. */
  keepMs: number;
  /** Sound of one utterance: more is not handed over. */
  maxSoundBytes: number;
  /** Sound that waits in memory for the queue. */
  maxOutboxBytes: number;
  log: HandoffLog;
  /** Ms since 1970. */
  wallMs(): number;
  /** Waits, unless it is closed before. */
  pause(ms: number): Promise<void>;
};

type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type HandoffLog = Record<'info' | 'warn' | 'error', (fields: LogFields, message: string) => void>;

/** The session of an utterance that cannot be finished live. */
export type HandingSession = {
  sessionId: string;
  tokenHash: string;
  owner: string | undefined;
  /** What it was being scored by, name and version. */
  model: string;
};

/**
 * A final that comes later: of which utterance, and which event of the session it will be.
 * `traceparent`: the span of the utterance; absent where nobody traces it.
 */
export type LateFinal = { utteranceId: number; eventId: number; traceparent?: string | undefined };

/** What became of utterances, counted. */
const handoffOutcomes = ['handed', 'kept', 'too_long', 'overflow', 'expired', 'refused', 'erased'] as const;
export type HandoffOutcome = (typeof handoffOutcomes)[number];

export type HandoffNumbers = {
  waiting: number;
  waitingBytes: number;
  outcomes: Readonly<Record<HandoffOutcome, number>>;
};

/**
 * Hands utterances over to be scored later, without anybody waiting for it: what comes is put into
 * a bounded outbox, and goes one by one to the store, under the session's key, and into the queue.
 * While either is away it stays here; beyond the bound the oldest is lost, and that is said.
 */
export class Handoff {
  readonly #options: HandoffOptions;
  readonly #waiting: Waiting[] = [];
  readonly #outcomes = Object.fromEntries(handoffOutcomes.map((name) => [name, 0])) as Record<HandoffOutcome, number>;
  #waitingBytes = 0;
  #isSending = false;
  #isClosed = false;
  #sent: Promise<void> = Promise.resolve();

  constructor(options: HandoffOptions) {
    this.#options = options;
  }

  get maxSoundBytes(): number {
    return this.#options.maxSoundBytes;
  }

  get numbers(): HandoffNumbers {
    const outcomes = { ...this.#outcomes };
    return { waiting: this.#waiting.length, waitingBytes: this.#waitingBytes, outcomes };
  }

  /** Lets an utterance be scored later; its final will be this event of its session. */
  hand(session: HandingSession, late: LateFinal, utterance: HandedUtterance): void {
    const bytes = utterance.sound.reduce((sum, part) => sum + ('gapMs' in part ? 0 : part.byteLength), recordBytes);
    this.#put({ session, ...late, bytes, atMs: this.#options.wallMs(), utterance });
  }

  /** Keeps a final that its learner may not have read. */
  keep(session: HandingSession, { utteranceId, eventId }: LateFinal, final: object): void {
    const text = JSON.stringify({ ...final, late: true });
    this.#put({ session, utteranceId, eventId, bytes: text.length, atMs: this.#options.wallMs(), final: text });
  }

  /** An utterance was read for longer than sound is kept. */
  tooLong(session: HandingSession, utteranceId: number): void {
    this.#lost('too_long', session, utteranceId);
  }

  /** Takes nothing more, and gives what waits `ms` to get away; what is left then is lost. */
  async close(ms: number): Promise<void> {
    this.#isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.#sent, late]);
    clearTimeout(timer);
    for (const { session, utteranceId } of this.#waiting.splice(0)) this.#lost('overflow', session, utteranceId);
    this.#waitingBytes = 0;
  }

  #put(waiting: Waiting): void {
    if (this.#isClosed) {
      this.#lost('overflow', waiting.session, waiting.utteranceId);
      return;
    }
    this.#waiting.push(waiting);
    this.#waitingBytes += waiting.bytes;
    // The first may be on its way already.
    while (this.#waitingBytes > this.#options.maxOutboxBytes && this.#waiting.length > 1) {
      const [oldest] = this.#waiting.splice(this.#isSending ? 1 : 0, 1);
      this.#waitingBytes -= oldest!.bytes;
      this.#lost('overflow', oldest!.session, oldest!.utteranceId);
    }
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sent = this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (let tries = 0; this.#waiting.length > 0; ) {
      const next = this.#waiting[0]!;
      const outcome = await this.#send(next);
      if (outcome === 'again') {
        await this.#options.pause(backoffMs(tries, Math.random, againAfter));
        tries += 1;
        continue;
      }
      tries = 0;
      // Its end may have come meanwhile.
      if (this.#waiting[0] === next) {
        this.#waiting.shift();
        this.#waitingBytes -= next.bytes;
      }
      if (outcome === 'handed' || outcome === 'kept') this.#outcomes[outcome] += 1;
      else this.#lost(outcome, next.session, next.utteranceId);
    }
    this.#isSending = false;
  }

  async #send(waiting: Waiting): Promise<HandoffOutcome | 'again'> {
    const { log } = this.#options;
    const slow = setTimeout(() => {
      const why = `neither the queue nor the store has answered for ${slowMs / 1000} s`;
      log.warn({ why, waiting: this.#waiting.length }, waitText);
    }, slowMs).unref();
    try {
      return await this.#sendOnce(waiting);
    } catch (error) {
      if (error instanceof QueueError && refusals.has(error.why)) {
        log.error({ session: waiting.session.sessionId, why: error.message }, 'the queue does not take an utterance');
        return 'refused';
      }
      if (!(error instanceof QueueError || error instanceof StoreError)) throw error;
      log.warn({ why: error.message, waiting: this.#waiting.length }, waitText);
      return 'again';
    } finally {
      clearTimeout(slow);
    }
  }

  async #sendOnce(waiting: Waiting): Promise<HandoffOutcome> {
    const { session, utteranceId, eventId, atMs, utterance, final, traceparent } = waiting;
    const { queue, results, region, keepMs, wallMs } = this.#options;
    const leftMs = atMs + keepMs - wallMs();
    if (leftMs <= 0) return 'expired';
    const { sessionId, tokenHash, owner, model } = session;
    const name = { sessionId, utteranceId };
    const expected = await results.expect({ ...name, tokenHash, owner, dataKey: newDataKey(), eventId }, keepMs);
    if (expected.kind !== 'expected') return expected.kind === 'known' ? 'kept' : 'erased';
    if (final !== undefined) {
      await results.finish(name, { state: 'done', value: final }, keepMs);
      return 'kept';
    }
    const head = { session: sessionId, utterance: utteranceId, region, model, createdMs: atMs };
    const record = await sealRecord({ ...head, expiresMs: atMs + keepMs }, utterance!, expected.dataKey);
    const headers = { 'content-type': contentType, ...(traceparent !== undefined && { [traceHeader]: traceparent }) };
    await queue.append({ key: sessionId, value: record, headers });
    return 'handed';
  }

  #lost(outcome: HandoffOutcome, { sessionId }: HandingSession, utteranceId: number): void {
    this.#outcomes[outcome] += 1;
    const fields = { session: sessionId, utterance: utteranceId, why: sentences[outcome] };
    this.#options.log.warn(fields, 'an utterance is not scored later');
  }
}

/** What waits: an utterance to be scored, or a final to be kept. */
type Waiting = LateFinal & {
  session: HandingSession;
  bytes: number;
  atMs: number;
  utterance?: HandedUtterance;
  final?: string;
};

const sentences: Record<HandoffOutcome, string> = {
  handed: '',
  kept: '',
  too_long: 'it was read for longer than sound is kept (max_handoff_bytes)',
  overflow: 'too much waits for the queue, which does not answer',
  expired: 'the queue did not answer for as long as sound is kept',
  refused: 'the queue does not take it',
  erased: 'its session was erased',
};

const waitText = 'utterances wait to be handed over';
/** A queue that stands still is tried several times before it is given up: that is told sooner. */
const slowMs = 5000;
/** What no further try can mend. */
const refusals: ReadonlySet<QueueError['why']> = new Set(['too_large', 'closed']);
const contentType = 'application/vnd.speechfb.retry.v1';
/** What a record has beside its sound, about. */
const recordBytes = 1024;
const againAfter = { firstMs: 100, maxMs: 5000 };

import type { BackendRecord } from '../../metrics/backend-record.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { Tally } from '../../metrics/tally.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';

type Ready = Pick<Extract<ServerEvent, { type: 'ready' }>, 'backend' | 'scores_phones'>;

/** Follows which backend writes the transcript of one session, where the server says it. */
export class BackendWatch {
  readonly #recorder: Recorder;
  readonly #tally: Tally;
  readonly #fromMs: number;
  #writer: BackendRecord | undefined;

  /**
   * @param tally of the session's slice
   * @param fromMs finals that were due before are in no distribution
   */
  constructor(recorder: Recorder, tally: Tally, fromMs: number) {
    this.#recorder = recorder;
    this.#tally = tally;
    this.#fromMs = fromMs;
  }

  ready({ backend, scores_phones }: Ready): void {
    // A session that is taken up again has begun before.
    if (backend === undefined || this.#writer) return;
    this.#writer = this.#recorder.backend(backend);
    this.#writer.counts.sessions += 1;
    if (scores_phones === false) this.#writer.counts.withoutPhones += 1;
  }

  /** Nobody writes any more. */
  lost(): void {
    this.#tally.transcripts_lost += 1;
    if (this.#writer) this.#writer.counts.lost += 1;
  }

  /** A final says what wrote its text; before it that was another, or the same. */
  final(backend: string | undefined): void {
    if (backend === undefined) return;
    const writer = this.#recorder.backend(backend);
    if (this.#writer && this.#writer !== writer) {
      this.#tally.transcripts_moved += 1;
      this.#writer.counts.moved += 1;
    }
    this.#writer = writer;
    writer.counts.finals += 1;
  }

  /** When the final was due that has just come, and when it came, ms on the clock. */
  finalTook(dueMs: number, receivedMs: number): void {
    if (dueMs >= this.#fromMs) this.#writer?.finalLatency.record(Math.max(0, receivedMs - dueMs));
  }
}

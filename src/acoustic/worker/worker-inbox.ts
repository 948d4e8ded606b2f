import type { Exchange } from '../../threads/exchange.ts';
import { sharedNowMs } from '../../threads/shared-clock.ts';
import type { ThreadLink } from '../../threads/thread-link.ts';
import type { Samples } from '../engine/types.ts';
import { toWorkerKinds } from './worker-messages.ts';

/** Writes what goes to the worker, of all streams; it is sent with the next round of mail. */
export class WorkerInbox {
  readonly #link: ThreadLink;
  readonly #exchange: Exchange;
  #stopped = false;

  constructor(link: ThreadLink, exchange: Exchange) {
    this.#link = link;
    this.#exchange = exchange;
  }

  opened(stream: number, canWait: boolean): void {
    this.#note(canWait ? toWorkerKinds.openedToWait : toWorkerKinds.opened, stream);
  }

  push(stream: number, pcm: Samples): void {
    if (this.#stopped) return;
    const nowMs = sharedNowMs();
    if (pcm.length <= mostSamples) this.#write(stream, pcm, nowMs);
    else {
      for (let at = 0; at < pcm.length; at += mostSamples) {
        this.#write(stream, pcm.subarray(at, at + mostSamples), nowMs);
      }
    }
    this.#exchange.soon();
  }

  gaveWay(stream: number): void {
    this.#note(toWorkerKinds.gaveWay, stream);
  }

  ended(stream: number): void {
    this.#note(toWorkerKinds.ended, stream);
  }

  closed(stream: number): void {
    this.#note(toWorkerKinds.closed, stream);
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
  }

  #write(stream: number, pcm: Samples, arrivedMs: number): void {
    const link = this.#link;
    const isNarrow = pcm instanceof Int16Array;
    const kind = isNarrow ? toWorkerKinds.narrowSound : toWorkerKinds.sound;
    const at = link.begin(kind, soundHeadBytes + pcm.byteLength);
    const { float64, float32, int16 } = link.memory;
    float64[at / 8] = stream;
    float64[at / 8 + 1] = arrivedMs;
    float64[at / 8 + 2] = pcm.length;
    if (isNarrow) int16.set(pcm, (at + soundHeadBytes) / 2);
    else float32.set(pcm, (at + soundHeadBytes) / 4);
    link.commit();
  }

  #note(kind: number, stream: number): void {
    if (this.#stopped) return;
    const at = this.#link.begin(kind, 8);
    this.#link.memory.float64[at / 8] = stream;
    this.#link.commit();
    this.#exchange.soon();
  }
}

export const soundHeadBytes = 24;
/** A second at the usual rate: what comes in longer pieces is cut. */
const mostSamples = 16_000;

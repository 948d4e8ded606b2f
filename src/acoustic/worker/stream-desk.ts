import { toPlainError } from '../../threads/plain-error.ts';
import { sharedNowMs, toThreadMs } from '../../threads/shared-clock.ts';
import { type LinkEnd, type MailRecord, ThreadLink } from '../../threads/thread-link.ts';
import type { EngineCore, Mail } from '../engine/engine-core.ts';
import type { EngineStream } from '../engine/engine-stream.ts';
import { writeFrames } from './frame-records.ts';
import { soundHeadBytes } from './worker-inbox.ts';
import { fromWorkerKinds, type StreamFailed, toWorkerKinds } from './worker-messages.ts';

/** The streams of the worker's engine: reads what is asked of them and writes what they give. */
export class StreamDesk implements Mail {
  readonly #link: ThreadLink;
  readonly #core: EngineCore;
  readonly #streams = new Map<number, EngineStream>();

  /** Looks after `core` from here on. */
  constructor(end: LinkEnd, core: EngineCore) {
    this.#core = core;
    this.#link = new ThreadLink(end, () => core.look());
    core.attend(this);
  }

  get isFull(): boolean {
    this.#link.wake();
    return this.#link.isFull;
  }

  collect(): void {
    this.#link.read(this.#take, () => {});
  }

  send(): void {
    this.#link.wake();
  }

  sleep(): boolean {
    return this.#link.sleep();
  }

  stayAwake(): void {
    this.#link.stayAwake();
  }

  close(): void {
    this.#link.close();
  }

  readonly #take = ({ kind, at, memory }: MailRecord): void => {
    const stream = memory.float64[at / 8]!;
    switch (kind) {
      case toWorkerKinds.opened:
      case toWorkerKinds.openedToWait:
        this.#open(stream, kind === toWorkerKinds.openedToWait);
        return;
      case toWorkerKinds.sound:
      case toWorkerKinds.narrowSound: {
        const isNarrow = kind === toWorkerKinds.narrowSound;
        const from = (at + soundHeadBytes) / (isNarrow ? 2 : 4);
        const end = from + memory.float64[at / 8 + 2]!;
        const pcm = isNarrow ? memory.int16.subarray(from, end) : memory.float32.subarray(from, end);
        this.#streams.get(stream)?.push(pcm, toThreadMs(memory.float64[at / 8 + 1]!));
        return;
      }
      case toWorkerKinds.gaveWay:
        this.#giveWay(stream);
        return;
      case toWorkerKinds.ended:
        this.#end(stream);
        return;
      case toWorkerKinds.closed:
        this.#streams.get(stream)?.close();
        this.#streams.delete(stream);
    }
  };

  #open(stream: number, canWait: boolean): void {
    const opened = this.#core.open(
      (frames) => writeFrames(this.#link, fromWorkerKinds.frames, stream, frames, sharedNowMs()),
      (error) => {
        this.#streams.delete(stream);
        this.#link.post({ stream, error: toPlainError(error) } satisfies StreamFailed);
        this.#link.wake();
      },
      canWait,
    );
    this.#streams.set(stream, opened);
  }

  #giveWay(stream: number): void {
    const opened = this.#streams.get(stream);
    if (opened) opened.canWait = true;
  }

  #end(stream: number): void {
    const finished = () => {
      if (!this.#streams.delete(stream)) return;
      const at = this.#link.begin(fromWorkerKinds.ended, 8);
      this.#link.memory.float64[at / 8] = stream;
      this.#link.commit();
      this.#link.wake();
    };
    // A failure has been reported through the stream's own callback.
    this.#streams
      .get(stream)
      ?.end(performance.now())
      .then(finished, () => {});
  }
}

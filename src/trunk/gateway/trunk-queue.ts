import type { SentGatewayItem } from '../wire/items.ts';
import { messageBytes } from '../wire/messages.ts';
import { RequestWriter } from '../wire/request-writer.ts';

/** An utterance with sound to send. */
export type SoundSource = {
  /**
   * Writes what may be sent now, until it is `mostBytes` or more.
   *
   * @returns How many bytes it was; fewer: there is nothing more for now.
   */
  drain(to: RequestWriter, mostBytes: number): number;
};

/**
 * What waits to be sent to one node. It is gathered for a few milliseconds, so that many sessions
 * share a message; the sound of each comes in turn, so that nobody waits until another has sent all
 * that it kept.
 */
export class TrunkQueue {
  readonly #write: (message: Buffer) => boolean;
  #items: SentGatewayItem[] = [];
  readonly #writer = new RequestWriter();
  readonly #sources = new Set<SoundSource>();
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;

  /** @param write False: it wants no more until `unblock`. */
  constructor(write: (message: Buffer) => boolean) {
    this.#write = write;
  }

  /** Goes before all sound that has not been sent. */
  say(item: SentGatewayItem): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** The source has something to send. */
  touch(source: SoundSource): void {
    this.#sources.add(source);
    this.#schedule();
  }

  /** Nothing more of the source is sent. */
  drop(source: SoundSource): void {
    this.#sources.delete(source);
  }

  /** Sends what waits at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (!this.#isBlocked && this.#items.length + this.#sources.size > 0) {
      this.#writeNext();
      for (const message of this.#writer.take()) {
        if (!this.#write(message)) this.#isBlocked = true;
      }
    }
  }

  unblock(): void {
    this.#isBlocked = false;
    this.flush();
  }

  /** Forgets all of it. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items = [];
    this.#sources.clear();
    this.#isBlocked = false;
  }

  /** What was said, and as much sound as one message holds. */
  #writeNext(): void {
    for (const item of this.#items) this.#writer.item(item);
    this.#items = [];
    let bytes = 0;
    for (const source of this.#sources) {
      if (bytes >= messageBytes) break;
      this.#sources.delete(source);
      const sent = source.drain(this.#writer, turnBytes);
      bytes += sent;
      // Behind all others, who come before it in this loop too.
      if (sent >= turnBytes) this.#sources.add(source);
    }
  }

  #schedule(): void {
    if (this.#isBlocked) return;
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }
}

/** Half a second of sound. */
const turnBytes = 16 * 1024;
const gatherMs = 5;

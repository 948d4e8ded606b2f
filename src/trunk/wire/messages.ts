import { MessageWriter } from './message-writer.ts';
import { mostItems } from './read-items.ts';

/**
 * Items as messages, in their order, each of some `messageBytes`, or of one item that is longer:
 * what one message may have is bounded at its reader.
 *
 * The bytes are those of the generated code, whatever is written or read: sound and feedback, which
 * are nearly all of what travels, are written and read by hand, everything else by the library.
 */
export class Messages {
  /** Takes the next item. */
  readonly writer = new MessageWriter();
  #full: Buffer[] = [];
  #items = 0;

  /** An item was written whole. */
  added(): void {
    this.#items += 1;
    if (this.writer.size >= messageBytes || this.#items === mostItems) this.#cut();
  }

  /** All that was written since the call before. */
  take(): Buffer[] {
    if (this.#items > 0) this.#cut();
    const messages = this.#full;
    this.#full = [];
    return messages;
  }

  #cut(): void {
    this.#full.push(this.writer.take());
    this.#items = 0;
  }
}

/**
 * The sound of one session that catches up at another node is no longer than this between that of
 * two others, and a node that was late says as much as this at once.
 */
export const messageBytes = 256 * 1024;

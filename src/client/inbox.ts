import { Scanner } from './json-scanner.ts';
import { isDeferrable } from './scan-event.ts';

/**
 * Reads the message that lies from `begin` to `end`, which are valid during the call: when it came,
 * what its way down took where that is known, and how many frames had been sent by then.
 */
export type ReadMessage = (
  bytes: Buffer,
  begin: number,
  end: number,
  receivedMs: number,
  downlinkMs: number | undefined,
  framesSent: number,
) => void;

/**
 * Messages of one session that have come and wait to be read. When one came is all that must be
 * known at once; what it says can wait for the next few, unless it changes what the session does.
 * Read a dozen at a time, each finds what it touches (some forty objects of the session) in the
 * processor's cache; read one by one among seven hundred sessions, none does. And what waits to be
 * stamped waits less.
 */
export class Inbox {
  readonly #read: ReadMessage;
  /** Each message begins with a word. */
  readonly #words = new Int32Array(waitingWords);
  readonly #bytes = Buffer.from(this.#words.buffer);
  /**
   * By message: its length, when it came, what its way down took (NaN: unknown), frames sent by
   * then.
   */
  readonly #metadata: number[] = [];
  #used = 0;
  #count = 0;
  /** The message that is read next, and where it begins. */
  #next = 0;
  #begin = 0;

  constructor(read: ReadMessage) {
    this.#read = read;
  }

  add(
    bytes: Buffer,
    begin: number,
    end: number,
    receivedMs: number,
    downlinkMs: number | undefined,
    framesSent: number,
  ): void {
    const words = (end - begin + 3) >> 2;
    const room = this.#count < mostWaiting && this.#used + words <= waitingWords;
    if (!room || (this.#count > 0 && receivedMs - this.#metadata[1]! > mostWaitMs)) this.readAll();
    scanner.begin(bytes, begin, end);
    if (words > waitingWords || !isDeferrable(scanner)) {
      this.readAll();
      this.#read(bytes, begin, end, receivedMs, downlinkMs, framesSent);
      return;
    }
    scanner.copy(this.#words, this.#used, begin);
    this.#used += words;
    const at = 4 * this.#count++;
    this.#metadata[at] = end - begin;
    this.#metadata[at + 1] = receivedMs;
    this.#metadata[at + 2] = downlinkMs ?? Number.NaN;
    this.#metadata[at + 3] = framesSent;
  }

  /**
   * Everything that waits, in order. Whoever looks at what the messages change calls this before.
   * One that is read may lead to others: on a simulated network, what the app answers lets time
   * pass.
   */
  readAll(): void {
    while (this.#next < this.#count) {
      const at = 4 * this.#next++;
      const begin = this.#begin;
      const end = begin + this.#metadata[at]!;
      const downlinkMs = this.#metadata[at + 2]!;
      this.#begin = (end + 3) & ~3;
      this.#read(
        this.#bytes,
        begin,
        end,
        this.#metadata[at + 1]!,
        Number.isNaN(downlinkMs) ? undefined : downlinkMs,
        this.#metadata[at + 3]!,
      );
    }
    this.#count = 0;
    this.#used = 0;
    this.#next = 0;
    this.#begin = 0;
  }

  /** Time has passed: reads what has waited for long, for want of more. */
  tick(nowMs: number): void {
    if (this.#count > 0 && nowMs - this.#metadata[1]! > mostWaitMs) this.readAll();
  }
}

/** For all inboxes: it stays with the memory that all connections share. */
const scanner = new Scanner();
const mostWaiting = 16;
const waitingWords = 1024;
/** The live view is refreshed twice a second, so events may wait nearly that long. */
const mostWaitMs = 400;

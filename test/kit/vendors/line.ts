import { rubbish, type Stalls, type VendorFaults } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { Recogniser, type RecogniserOptions, type Said } from './recogniser.ts';
import type { FindScript } from './script.ts';

/** What carries the messages: a WebSocket, or something that behaves like one. */
export type LineSocket = {
  readonly readyState: number;
  readonly OPEN: number;
  on(event: 'close', listener: () => void): unknown;
  /** A message is not written when `send` returns, but when it calls `written`. */
  readonly writesLater?: boolean;
  send(data: string | Buffer, written?: () => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
};

export type LineOptions = {
  socket: LineSocket;
  find: FindScript;
  ledger: Ledger;
  faults: VendorFaults;
  stalls: Stalls;
  lagMs: number;
  emitMs: number | undefined;
  endpointMs: number | undefined;
  now(): number;
  /** The vendor's own words for a failure of its own. */
  onError(): void;
};

/** One connection as a vendor's protocol sees it: it hears sound, says things in order, and suffers the faults. */
export class Line {
  readonly #options: LineOptions;
  readonly #queue: { dueMs: number; send: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #recogniser: Recogniser | undefined;
  #isDeaf = false;
  #isHung = false;
  #held: { data: object; said: Said } | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
    options.socket.on('close', () => clearTimeout(this.#timer));
  }

  /** Sound of the whole connection, ms. */
  get heardMs(): number {
    return this.#recogniser?.heardMs ?? 0;
  }

  /** What hears this connection; its own settings go before those that the test gave. */
  recogniser(own: Pick<RecogniserOptions, 'rateHz' | 'onSaid' | 'onSpeech'> & Partial<RecogniserOptions>): Recogniser {
    const { find, ledger, lagMs, emitMs, endpointMs } = this.#options;
    this.#recogniser = new Recogniser({ find, ledger, lagMs, emitMs, endpointMs, ...own });
    return this.#recogniser;
  }

  /** Sound came, 16-bit little-endian. */
  sound(bytes: Buffer): void {
    // A copy, since bytes of a message lie anywhere and samples do not.
    this.samples(new Int16Array(new Uint8Array(bytes.subarray(0, bytes.length & ~1)).buffer));
  }

  samples(samples: Int16Array): void {
    if (this.#isDeaf) return;
    this.#recogniser?.sound(samples, this.#options.now());
    this.#suffer();
  }

  /** Says one thing, after all that was said before. */
  say(message: object | string): void {
    this.#enqueue(message);
  }

  /** Says what was understood. */
  answer(said: Said, message: object): void {
    const { swaps, duplicateFinals, neverFinal } = this.#options.faults;
    if (said.is === 'final') {
      this.#release();
      if (neverFinal) return;
      this.#enqueue(message, said);
      if (duplicateFinals) this.#enqueue(message);
    } else if (!swaps) this.#enqueue(message, said);
    else if (this.#held) {
      this.#enqueue(message, said);
      this.#release();
    } else this.#held = { data: message, said };
  }

  /** Closes, after all that was said. */
  close(code: number, reason: string): void {
    this.#later(() => this.#options.socket.close(code, reason));
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#enqueue(held.data, held.said);
  }

  #enqueue(message: object | string, said?: Said): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    const { faults, socket, now } = this.#options;
    const spoilt =
      faults.rubbish && said && this.heardMs >= faults.rubbish.atMs ? rubbish[faults.rubbish.kind] : undefined;
    this.#later(() => {
      if (socket.readyState !== socket.OPEN) return;
      if (spoilt) {
        socket.send(spoilt(text));
        return;
      }
      const left = () => said?.left(now());
      socket.send(text, socket.writesLater ? left : undefined);
      if (!socket.writesLater) left();
    });
  }

  #later(send: () => void): void {
    if (this.#isHung) return;
    const { faults, stalls, now } = this.#options;
    const nowMs = now();
    const dueMs = Math.max(stalls.over(nowMs + (faults.delayMs ?? 0)), this.#queue.at(-1)?.dueMs ?? 0);
    if (dueMs <= nowMs && this.#queue.length === 0) send();
    else {
      this.#queue.push({ dueMs, send });
      this.#wait();
    }
  }

  #wait(): void {
    const [next] = this.#queue;
    if (!next || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const nowMs = this.#options.now();
        while (this.#queue[0] && this.#queue[0].dueMs <= nowMs) this.#queue.shift()?.send();
        this.#wait();
      },
      Math.max(0, Math.ceil(next.dueMs - this.#options.now())),
    );
  }

  #suffer(): void {
    const { faults, socket, onError } = this.#options;
    const has = (atMs: number | undefined): boolean => atMs !== undefined && this.heardMs >= atMs;
    if (has(faults.hangAtMs)) {
      // It hears on: what phones say then is never answered.
      this.#isHung = true;
      return;
    }
    if (has(faults.cutAtMs)) socket.terminate();
    else if (has(faults.errorAtMs)) onError();
    else if (faults.close && has(faults.close.atMs)) this.close(faults.close.code, faults.close.reason);
    else return;
    this.#isDeaf = true;
  }
}

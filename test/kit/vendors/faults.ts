/** What goes wrong with a vendor. Places are milliseconds of a connection's sound. */
export type VendorFaults = {
  /** It stands still: hears, and says nothing, for so long, each so often, first so long after the first connection. */
  stall?: { lengthMs: number; everyMs: number; firstMs: number };
  /** Each answer takes so long, wall time. */
  delayMs?: number;
  /** The connection is cut, without a closing handshake. */
  cutAtMs?: number;
  /** It says nothing more, and keeps the connection. */
  hangAtMs?: number;
  /** It closes, for a reason in its words. */
  close?: { atMs: number; code: number; reason: string };
  /** It says that it failed, in its words, and closes as it would. */
  errorAtMs?: number;
  /** So many upgrades (all, unless told) are answered with this status. */
  refuse?: { status: 401 | 402 | 403 | 429 | 500 | 503; retryAfterS?: number; times?: number };
  /** Upgrades are sent elsewhere. */
  redirect?: string;
  /** From a place on each answer is rubbish of a kind. */
  rubbish?: { atMs: number; kind: keyof typeof rubbish };
  /** Of each two partial answers the newer goes first. */
  swaps?: boolean;
  duplicateFinals?: boolean;
  neverFinal?: boolean;
};

/** What is not an answer of any vendor. */
export const rubbish = {
  /** Text that is no JSON. */
  'not JSON': () => '<html>502 Bad Gateway</html>',
  /** JSON, and no object. */
  'no object': () => '[1, 2',
  /** The right answer in bytes where text was due. */
  binary: (answer: string) => Buffer.from(answer),
  /** The right answer in an encoding that nobody agreed on. */
  'UTF-16': (answer: string) => Buffer.from(answer, 'utf16le'),
  /** JSON with keys that no vendor has. */
  'another dialect': () => JSON.stringify({ kind: 'hypothesis', hyp: 'hello', t: 1 }),
} as const;

/** When the vendor stands still. */
export class Stalls {
  readonly #startedMs: number;
  readonly #stall: VendorFaults['stall'];

  constructor(startedMs: number, stall: VendorFaults['stall']) {
    this.#startedMs = startedMs;
    this.#stall = stall;
  }

  /** The first moment from `atMs` on at which it does not. */
  over(atMs: number): number {
    if (!this.#stall) return atMs;
    const { lengthMs, everyMs, firstMs } = this.#stall;
    const sinceMs = atMs - this.#startedMs - firstMs;
    if (sinceMs < 0) return atMs;
    const intoMs = sinceMs % everyMs;
    return intoMs < lengthMs ? atMs + lengthMs - intoMs : atMs;
  }
}

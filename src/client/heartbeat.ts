/**
 * Whether the other end of a socket is still there, as apps find out: each check asks with a ping
 * unless one is out; when nothing at all has come for eight seconds, the socket is dead. Pure:
 * every time is handed in, ms.
 */
export class Pulse {
  #heardMs: number | undefined;
  #askedMs: number | undefined;

  /** A new socket begins to open. */
  begin(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = undefined;
  }

  heard(atMs: number): void {
    this.#heardMs = atMs;
  }

  /** Whether to ping now. */
  ask(nowMs: number): boolean {
    if (this.#askedMs !== undefined) return false;
    this.#askedMs = nowMs;
    return true;
  }

  /** A pong came: the round trip since the ping. */
  answered(atMs: number): number | undefined {
    this.#heardMs = atMs;
    const roundTripMs = this.#askedMs === undefined ? undefined : atMs - this.#askedMs;
    this.#askedMs = undefined;
    return roundTripMs;
  }

  /** How long nothing has come, once that is too long. */
  silentMs(nowMs: number): number | undefined {
    const silentMs = nowMs - (this.#heardMs ?? nowMs);
    return silentMs > deadAfterMs ? silentMs : undefined;
  }
}

/**
 * Beyond the stall that TCP needs to get over a gap of three seconds (4.8 s, by its timer's
 * doubling), and below the ten that people wait before they give up themselves.
 */
export const deadAfterMs = 8000;

import type { Limits } from '../limits.ts';
import { createSecret } from '../secrets.ts';

/**
 * The places that are kept for sessions that were sent away: whoever comes back as told goes before
 * whoever is new. A ticket is good once, until a while after the time it was told.
 */
export class ReturnTickets {
  readonly #limits: Pick<Limits, 'returnMs' | 'maxSessions'>;
  /** When each is over, in the order of issue. */
  readonly #endMs = new Map<string, number>();

  constructor(limits: Pick<Limits, 'returnMs' | 'maxSessions'>) {
    this.#limits = limits;
  }

  /** A ticket for somebody who is told to come back after so long. */
  issue(nowMs: number, afterMs: number): string {
    this.#forget(nowMs);
    const { maxSessions, returnMs } = this.#limits;
    const [oldest] = this.#endMs.keys();
    if (oldest !== undefined && this.#endMs.size >= maxSessions) this.#endMs.delete(oldest);
    const ticket = createSecret(12);
    this.#endMs.set(ticket, nowMs + afterMs + returnMs);
    return ticket;
  }

  /** Whether the ticket is good. */
  has(nowMs: number, ticket: string | undefined): boolean {
    return ticket !== undefined && (this.#endMs.get(ticket) ?? Number.NEGATIVE_INFINITY) > nowMs;
  }

  /** The place is taken by whom it was kept for. */
  use(ticket: string): void {
    this.#endMs.delete(ticket);
  }

  /** Places that are kept now. */
  kept(nowMs: number): number {
    this.#forget(nowMs);
    return this.#endMs.size;
  }

  #forget(nowMs: number): void {
    for (const [ticket, endMs] of this.#endMs) if (endMs <= nowMs) this.#endMs.delete(ticket);
  }
}

/**
 * Why a session is over. `refused`: it never became ready; `sent_away`: the server had too many and
 * said when to come back; `lost`: it was ready, and could not be resumed.
 */
export type ClientEnd = {
  outcome: 'closed' | 'refused' | 'sent_away' | 'lost';
  code: number;
  reason: string;
  /**
   * `refused` and `sent_away`: whether the server may take the session later, and how long it asks
   * to wait.
   */
  retryable?: boolean;
  retryAfterMs?: number | undefined;
  /** For the start then: a place is kept for it. */
  returnTicket?: string | undefined;
};

/** What a close by the server or the system means; undefined when the session can be resumed. */
export function outcomeOfClose(code: number, wasReady: boolean, closing: boolean): ClientEnd['outcome'] | undefined {
  if (!wasReady) return 'refused';
  if (code === 1000 || (closing && code === 1001)) return 'closed';
  return code >= 4000 || finalCodes.has(code) ? 'lost' : undefined;
}

/**
 * Closes that a resumed session would lead to again: the server is going away, or one side broke
 * the protocol.
 */
const finalCodes: ReadonlySet<number> = new Set([1001, 1002, 1003, 1007, 1009]);

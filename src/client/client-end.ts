/** Why a session is over. `refused`: it never became ready; `lost`: it was, and could not be resumed. */
export type ClientEnd = { outcome: 'closed' | 'refused' | 'lost'; code: number; reason: string };

/** What a close by the server or the system means; undefined when the session can be resumed. */
export function outcomeOfClose(code: number, wasReady: boolean, closing: boolean): ClientEnd['outcome'] | undefined {
  if (!wasReady) return 'refused';
  if (code === 1000 || (closing && code === 1001)) return 'closed';
  return code >= 4000 || code === 1001 ? 'lost' : undefined;
}

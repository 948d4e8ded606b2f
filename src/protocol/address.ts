/** Where `speechfb serve` listens unless told otherwise, and where clients look for it. */
export const defaultPort = 8090;
export const streamPath = '/v1/stream';
/**
 * Where results of a session are found that could not be given live; less the last part, it is
 * erased.
 */
export function resultsPath(sessionId: string): string {
  return `/v1/sessions/${sessionId}/results`;
}
/** What a WebSocket client must offer. */
export const subprotocol = 'speechfb.v1';

/**
 * What a client may say in the query of the upgrade, so that a busy server need not hear it out:
 * the session that it resumes, the ticket that it comes back with, its lane; and that it follows
 * `moving`.
 */
export const upgradeHints = { resume: 'resume', ticket: 'ticket', lane: 'lane', moves: 'moves' } as const;

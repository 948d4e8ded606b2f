import type { Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { MoveTo } from '../durable/kept-session.ts';
import type { Session } from '../session/session.ts';

/** Sessions that were there, and how many got their finals in time. */
export type DrainReport = { sessions: number; finished: number };

/**
 * Tells every session to go, waits for their finals and for the sockets to close behind them; a
 * session that another gateway takes goes there; one that is not done by `deadlineMs` ends with an
 * error.
 */
export async function drainSessions(
  sessions: readonly Session[],
  deadlineMs: number,
  socketsClosed: () => boolean,
  moveTo?: MoveTo,
): Promise<DrainReport> {
  const startedMs = performance.now();
  const leftMs = (): number => deadlineMs - (performance.now() - startedMs);
  const waiting = new Set(sessions);
  const drained = Promise.all(
    sessions.map(async (session) => {
      await session.drain(deadlineMs, moveTo);
      waiting.delete(session);
    }),
  );
  const abort = new AbortController();
  await Promise.race([drained, wait(deadlineMs, undefined, { signal: abort.signal })]);
  abort.abort();
  const finished = sessions.length - waiting.size;
  for (const session of waiting) {
    session.fail({ code: 'inference_timeout', message: `no final within ${deadlineMs} ms; the server goes away` });
  }
  while (!socketsClosed() && leftMs() > -closingGraceMs) await wait(pollMs);
  return { sessions: sessions.length, finished };
}

/**
 * Waits a moment for those who have come and are not answered yet, or are about to ask. Who stays
 * for a further request is let go at once.
 */
export async function answerArriving(
  http: Pick<Server, 'closeIdleConnections'>,
  lobby: { readonly size: number },
): Promise<void> {
  http.closeIdleConnections();
  const endMs = performance.now() + closingGraceMs;
  while (lobby.size > 0 && performance.now() < endMs) await wait(pollMs);
}

const pollMs = 10;
/** Closing handshakes, and who is just arriving, get this much beyond the deadline. */
const closingGraceMs = 500;

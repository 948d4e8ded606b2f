import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Watches which connections of a listener wait for an answer: Node hears a request that comes
 * behind another before that one is answered.
 *
 * @returns whether an answer is still to be written to this connection
 */
export function watchAnswers(http: Server): (socket: Duplex) => boolean {
  const unanswered = new WeakMap<Duplex, number>();
  const add = (socket: Duplex, count: number): void => {
    unanswered.set(socket, (unanswered.get(socket) ?? 0) + count);
  };
  http.on('request', ({ socket }, response) => {
    add(socket, 1);
    response.once('close', () => add(socket, -1));
  });
  return (socket) => (unanswered.get(socket) ?? 0) > 0;
}

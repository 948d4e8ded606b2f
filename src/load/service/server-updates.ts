import type { PlainError } from '../../threads/plain-error.ts';

/**
 * What an embedded server reports to the load test that started it: one line of JSON on the pipe
 * between them (`--parent-fd`), once it is ready or when it cannot be. The pipe stays open as long
 * as both live: its closing ends the server.
 */
export type ServerUpdate = { type: 'ready'; url: string } | { type: 'failed'; error: PlainError };

export function encodeServerUpdate(update: ServerUpdate): string {
  return `${JSON.stringify(update)}\n`;
}

/**
 * The update in the first whole line, or undefined while there is none. Throws where a line is none
 * of ours.
 */
export function readServerUpdate(text: string): ServerUpdate | undefined {
  const end = text.indexOf('\n');
  return end < 0 ? undefined : (JSON.parse(text.slice(0, end)) as ServerUpdate);
}

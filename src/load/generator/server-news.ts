import type { PlainError } from '../../threads/plain-error.ts';

/**
 * What an embedded server tells the load test that started it: one line of JSON on the pipe between them (`--parent-fd`), once
 * it is ready or when it cannot be. The pipe stays open as long as both live: its closing ends the server.
 */
export type ServerNews = { type: 'ready'; url: string } | { type: 'failed'; error: PlainError };

export function encodeServerNews(news: ServerNews): string {
  return `${JSON.stringify(news)}\n`;
}

/** The news of the first whole line, or undefined while there is none. Throws where a line is none of ours. */
export function readServerNews(text: string): ServerNews | undefined {
  const end = text.indexOf('\n');
  return end < 0 ? undefined : (JSON.parse(text.slice(0, end)) as ServerNews);
}

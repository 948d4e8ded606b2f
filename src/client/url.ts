import { SpeechfbError } from '../errors.ts';

/** A WebSocket URL; the path /v1/stream is filled in when there is none. */
export function checkUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'ws:' && url?.protocol !== 'wss:') {
    throw new SpeechfbError('bad_url', `"${given}" is not a WebSocket URL; allowed: ws://host:port, wss://host:port`);
  }
  // Nor is it quoted: a report would show the password.
  if (url.username !== '' || url.password !== '')
    throw new SpeechfbError('bad_url', 'the URL has a user name or password, which is not sent; use a token file');
  if (url.pathname === '/') url.pathname = '/v1/stream';
  return url.href;
}

import { SpeechfbError } from '../errors.ts';
import { streamPath } from '../protocol/address.ts';
import { SecretUrl } from '../secret-url.ts';

/**
 * A WebSocket URL; the path /v1/stream is filled in when there is none. Throws `bad_url` or
 * `unset_variable`.
 */
export function checkUrl(given: string): SecretUrl {
  const url = SecretUrl.parse(given, 'websocket');
  if (url.hasUser)
    throw new SpeechfbError('bad_url', 'the URL has a user name or password, which is not sent; use a token file');
  if (url.hasFragment)
    throw new SpeechfbError('bad_url', 'the URL has a part behind #, which is never sent; a key belongs behind ?');
  return url.hasPath ? url : url.below(streamPath);
}

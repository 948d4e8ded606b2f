import { SpeechfbError } from '../errors.ts';
import { streamPath } from '../protocol/address.ts';
import { SecretUrl } from '../secret-url.ts';

/**
 * A WebSocket URL; the path /v1/stream is filled in when there is none. Throws `bad_url` or
 * `unset_variable`.
 */
export function checkUrl(given: string): SecretUrl {
  return withStreamPath(checked(SecretUrl.parse(given, 'websocket')));
}

/** The URL with the path of speechfb.v1 if it has none. */
export function withStreamPath(url: SecretUrl): SecretUrl {
  return url.hasPath ? url : url.below(streamPath);
}

/** A WebSocket URL of any protocol, or one of gRPC. Throws as `checkUrl`. */
export function checkAnyUrl(given: string): SecretUrl {
  return checked(SecretUrl.parse(given, 'stream'));
}

function checked(url: SecretUrl): SecretUrl {
  if (url.hasUser)
    throw new SpeechfbError('bad_url', 'the URL has a user name or password, which is not sent; use a token file');
  if (url.hasFragment)
    throw new SpeechfbError('bad_url', 'the URL has a part behind #, which is never sent; a key belongs behind ?');
  if (url.isGrpc && (url.hasPath || url.hasQuery))
    throw new SpeechfbError('bad_url', 'the URL has a path or parameters, which a call of gRPC does not send');
  return url;
}

import { SpeechfbError } from '../../errors.ts';
import { redisPlaceOf } from '../../stores/redis/redis-place.ts';

/** What the URL of a Redis in the values says: who is asked where, and by what. */
export type RedisUrl = {
  /** As given, which is without a password. */
  text: string;
  kind: 'redis' | 'sentinel' | 'cluster';
  /** Whether anything there is spoken to by TLS: Redis itself, or its sentinels. */
  isSecure: boolean;
  /** The ports that it names, or leaves to be the usual ones, each once. */
  ports: readonly number[];
};

/**
 * Reads the URL as `serve --store` will, but for its passwords, which stand in Secrets.
 *
 * @throws SpeechfbError `bad_url`
 */
export function redisUrlOf(text: string): RedisUrl {
  if (text.includes('${')) refuse('fills something in from the environment');
  const { place } = redisPlaceOf(text);
  const isSentinel = 'sentinels' in place;
  const passwords = [place.password, isSentinel ? place.sentinelLogin.password : undefined];
  if (passwords.some((password) => password !== undefined)) refuse('has a password in it');
  const addresses = isSentinel ? place.sentinels : 'nodes' in place ? place.nodes : [place];
  return {
    text,
    kind: isSentinel ? 'sentinel' : 'nodes' in place ? 'cluster' : 'redis',
    isSecure: place.isSecure || (isSentinel && place.sentinelLogin.isSecure),
    ports: [...new Set(addresses.map(({ port }) => port))],
  };
}

/** The URL with a password of Redis, and of its sentinels where they have one. */
export function withPasswords({ text }: RedisUrl, password: string, sentinelPassword: string | undefined): string {
  const [, scheme = '', user = '', rest = ''] = /^([^:]+:\/\/)(?:([^/?#]*)@)?(.*)$/.exec(text) ?? [];
  const url = `${scheme}${user.replace(/:$/, '')}:${password}@${rest}`;
  if (sentinelPassword === undefined) return url;
  return `${url}${url.includes('?') ? '&' : '?'}sentinel_password=${sentinelPassword}`;
}

function refuse(what: string): never {
  throw new SpeechfbError(
    'bad_url',
    `${what}, which would stand in every manifest; passwords come from Secrets: write the URL without, and redis.password or redis.sentinelPassword`,
  );
}

import { SpeechfbError } from '../../errors.ts';
import { SecretUrl } from '../../secret-url.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { SessionStore } from '../session-store.ts';
import { RedisSessionStore } from './redis-session-store.ts';
import { TracedStore } from './traced-store.ts';

/**
 * What `--store` says, as it was given: a secret stays in the environment until it is needed.
 * @throws SpeechfbError `bad_url`, `unset_variable`
 */
export function checkStore(given: string): string | undefined {
  if (given === 'memory') return undefined;
  placeOf(given);
  return given;
}

/** The store that `--store` names, which is connected to from here on; undefined: none. */
export function openStore(
  given: string | undefined,
  log: Log,
  tracing?: Pick<Tracing, 'call'>,
): SessionStore | undefined {
  if (given === undefined) return undefined;
  const { url, place } = placeOf(given);
  const store = new RedisSessionStore({
    place,
    onDown: (why) =>
      log.warn({ store: url, why }, 'the store does not answer: no session can go on at another gateway'),
  });
  store.onUp(() => log.info({ store: url }, 'the store answers: sessions can go on at other gateways'));
  return tracing ? new TracedStore(store, { tracing, place }) : store;
}

function placeOf(given: string): { url: string; place: ConstructorParameters<typeof RedisSessionStore>[0]['place'] } {
  const url = SecretUrl.parse(given, 'redis');
  const database = /^\/?(\d{1,4})?$/.exec(url.path)?.[1] ?? (url.path.length > 1 ? undefined : '0');
  if (database === undefined || url.hasQuery || url.hasFragment) {
    throw new SpeechfbError(
      'bad_url',
      `--store "${url}" has more than host, port and database; allowed: redis://host:port/0`,
    );
  }
  const { name, password } = url.user;
  return {
    url: String(url),
    place: {
      host: url.hostname,
      port: url.port ?? 6379,
      database: Number(database),
      username: name,
      password,
      isSecure: url.isSecure,
    },
  };
}

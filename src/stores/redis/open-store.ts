import { SpeechfbError } from '../../errors.ts';
import { SecretUrl } from '../../secret-url.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { CapStore } from '../cap-store.ts';
import type { ResultStore } from '../result-store.ts';
import type { SessionStore } from '../session-store.ts';
import { RedisCapStore } from './redis-cap-store.ts';
import { RedisLink, type RedisPlace } from './redis-link.ts';
import { RedisResultStore } from './redis-result-store.ts';
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

/** What gateways share, over one connection. */
export type Store = {
  /** As a server takes them. */
  readonly parts: { readonly store: SessionStore; readonly caps: CapStore };
  close(): Promise<void>;
};

/**
 * The store that `--store` names, which is connected to from here on; undefined: none.
 *
 * @param region whose keys it reads and writes
 * @param tracing follows the calls for sessions; absent: nobody wants traces
 */
export function openStore(
  given: string | undefined,
  region: string | undefined,
  log: Log,
  tracing?: Pick<Tracing, 'call'>,
): Store | undefined {
  if (given === undefined) return undefined;
  const { url, place } = placeOf(given);
  const link = new RedisLink({
    place,
    region,
    onDown: (why) => log.warn({ store: url, why }, `the store does not answer: ${alone}`),
  });
  link.onUp(() => log.info({ store: url }, 'the store answers: gateways share sessions and the caps of tenants'));
  const store = new RedisSessionStore(link, region);
  return {
    parts: {
      store: tracing ? new TracedStore(store, { tracing, place }) : store,
      caps: new RedisCapStore(link, region),
    },
    close: () => link.close(),
  };
}

/**
 * The results that come later, in the store that `--store` names.
 *
 * @throws SpeechfbError `bad_url`, `unset_variable`
 */
export function openResults(given: string, region: string | undefined, log: Log): ResultStore {
  const { url, place } = placeOf(given);
  const onDown = (why: string): void => log.warn({ store: url, why }, 'the store of results does not answer');
  return new RedisResultStore({ place, region, onDown });
}

const alone = 'no session can go on at another gateway, and each counts the caps of tenants by itself';

function placeOf(given: string): { url: string; place: RedisPlace } {
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

import { SpeechfbError } from '../../errors.ts';
import { SecretUrl } from '../../secret-url.ts';

/** Where a Redis is, or who knows that, and who we are there. */
export type RedisPlace = RedisLogin & { database: number } & (RedisAddress | SentinelPlace | ClusterPlace);

export type RedisAddress = { host: string; port: number };

export type RedisLogin = {
  username: string | undefined;
  password: string | undefined;
  /** TLS. */
  isSecure: boolean;
};

/** Whichever Redis is the master of this name at the time, by what sentinels say. */
type SentinelPlace = {
  sentinels: readonly RedisAddress[];
  master: string;
  sentinelLogin: RedisLogin;
};

/** A cluster, by some of its nodes: they tell of the others. */
export type ClusterPlace = { nodes: readonly RedisAddress[] };

/**
 * What `--store` names. User and password are those of Redis itself; sentinels have theirs in
 * `sentinel_user` and `sentinel_password`, and TLS as Redis has it unless `sentinel_tls` says
 * otherwise.
 *
 * @throws SpeechfbError `bad_url`, `unset_variable`
 */
export function redisPlaceOf(given: string): { url: string; place: RedisPlace } {
  const url = SecretUrl.parse(given, 'redis');
  const { name: username, password } = url.user;
  const login = { username, password, isSecure: url.isSecure };
  const kind = /\+(sentinel|cluster)$/.exec(url.scheme)?.[1];
  if (username?.includes(',')) refuse(url, 'names a user behind the first host; user and password stand once, before');
  if (url.hasFragment) refuse(url, 'has a fragment');
  const place =
    kind === 'sentinel' ? sentinelPlace(url, login) : kind === 'cluster' ? clusterPlace(url) : simplePlace(url);
  return { url: String(url), place: { ...login, ...place } };
}

function simplePlace(url: SecretUrl): RedisAddress & { database: number } {
  if (url.hosts.length > 1) {
    refuse(
      url,
      'names several hosts',
      'redis+sentinel://host:port,host:port/NAME, redis+cluster://host:port,host:port',
    );
  }
  const database = databaseOf(url.path.slice(1));
  if (database === undefined || url.hasQuery) {
    refuse(url, 'has more than host, port and database', 'redis://host:port/0');
  }
  return { ...addressesOf(url, 6379)[0]!, database };
}

function sentinelPlace(url: SecretUrl, { isSecure }: RedisLogin): SentinelPlace & { database: number } {
  const allowed = 'redis+sentinel://host:port,host:port/NAME/0, NAME being that of the master at its sentinels';
  const [name = '', number = '', ...more] = url.path.slice(1).split('/');
  const master = decoded(name);
  if (master === '') refuse(url, 'names no master', allowed);
  const database = databaseOf(number);
  if (database === undefined || more.length > 0) refuse(url, 'has more than a name and a database', allowed);
  const options = new Map<string, string>();
  for (const [option, value] of url.query) {
    if (!sentinelOptions.includes(option)) {
      refuse(url, 'has an option that there is not', sentinelOptions.map((one) => `${one}=`).join(', '));
    }
    if (value === '' || options.has(option)) refuse(url, `has ${option} without a value, or twice`);
    options.set(option, value);
  }
  const tls = options.get('sentinel_tls');
  if (tls !== undefined && tls !== 'yes' && tls !== 'no') refuse(url, 'has a sentinel_tls that is neither', 'yes, no');
  return {
    sentinels: addressesOf(url, 26_379),
    master,
    database,
    sentinelLogin: {
      username: options.get('sentinel_user'),
      password: options.get('sentinel_password'),
      isSecure: tls === undefined ? isSecure : tls === 'yes',
    },
  };
}

function clusterPlace(url: SecretUrl): ClusterPlace & { database: number } {
  if (!['', '/', '/0'].includes(url.path) || url.hasQuery) {
    refuse(url, 'has more than hosts: a cluster has database 0 alone', 'redis+cluster://host:port,host:port');
  }
  return { nodes: addressesOf(url, 6379), database: 0 };
}

function addressesOf(url: SecretUrl, usualPort: number): RedisAddress[] {
  const addresses = url.hosts.map(({ hostname, port = usualPort }) => ({ host: hostname, port }));
  const names = addresses.map(({ host, port }) => `${host}:${port}`);
  if (addresses.some(({ port }) => port === 0)) refuse(url, 'has port 0', '1 to 65535');
  if (new Set(names).size < names.length) refuse(url, 'names a host twice');
  return addresses;
}

/** Undefined: it is none. */
function databaseOf(text: string): number | undefined {
  if (text === '') return 0;
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refuse(url: SecretUrl, what: string, allowed?: string): never {
  throw new SpeechfbError('bad_url', `--store "${url}" ${what}${allowed === undefined ? '' : `; allowed: ${allowed}`}`);
}

const sentinelOptions: readonly string[] = ['sentinel_user', 'sentinel_password', 'sentinel_tls'];

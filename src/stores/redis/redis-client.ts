import { isIP } from 'node:net';
import { Cluster, type ClusterOptions, Command, type DNSLookupFunction, Redis, type RedisOptions } from 'ioredis';
import { QuietSentinels } from './quiet-sentinels.ts';
import type { ClusterPlace, RedisAddress, RedisPlace } from './redis-place.ts';
import { scripts } from './scripts.ts';

export type RedisClient = Redis | Cluster;

/**
 * A client of what `place` names, which connects from here on and does so again and again. It has
 * our scripts, and sends nothing twice.
 *
 * @param answerMs how long an answer may take
 * @param found is told where the master is, each time that a sentinel says so
 */
export function clientOf(place: RedisPlace, answerMs: number, found: (master: RedisAddress) => void): RedisClient {
  const client =
    'nodes' in place
      ? new Cluster([...place.nodes], clusterOptions(place, answerMs))
      : new Redis({ ...optionsOf(place, answerMs), ...reachedBy(place, answerMs, found) });
  for (const [name, lua] of Object.entries(scripts)) client.defineCommand(name, { lua });
  return client;
}

/**
 * Which node has a key, by what the client knows of its cluster; undefined: there is one Redis, or
 * nobody has it.
 */
export function nodeOf(client: RedisClient, key: string): string | undefined {
  return client instanceof Cluster ? client.slots[new Command('get', [key]).getSlot()]?.[0] : undefined;
}

/**
 * Lets go of a connection whose other end has said nothing for long, or is no longer who it was:
 * the next one may lead to another Redis.
 */
export function letGo(client: RedisClient, node: string | undefined): void {
  if (client instanceof Redis) client.disconnect(true);
  else
    client
      .nodes()
      .find((one) => addressOf(one) === node)
      ?.disconnect();
}

/** Whether a cluster has a master that is `wanted`; one Redis alone is. */
export function hasNode(client: RedisClient, wanted: (address: string) => boolean): boolean {
  return client instanceof Redis || client.nodes('master').some((one) => wanted(addressOf(one)));
}

/**
 * The first key at each master of a cluster, save at the one that has `besides`, by what `keyOf`
 * gives for 0, 1 ...: the same for all who know the cluster as it is. One Redis alone has none, and
 * a master with a few of 16,384 slots may have none.
 */
export function keyAtEach(client: RedisClient, keyOf: (index: number) => string, besides: string): string[] {
  if (!(client instanceof Cluster)) return [];
  const own = nodeOf(client, besides);
  const masters = client.nodes('master').map(addressOf);
  const missing = new Set(masters.filter((one) => one !== own));
  const keys: string[] = [];
  for (let index = 0; index < mostKeys && missing.size > 0; index += 1) {
    const key = keyOf(index);
    const node = nodeOf(client, key);
    if (node !== undefined && missing.delete(node)) keys.push(key);
  }
  return keys;
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/** 50 ms, then twice as long each time, up to 2 s, with some randomness: many gateways ask. */
export function redisBackoffMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times - 1, 10), 2000) * (0.75 + Math.random() / 2);
}

function optionsOf(place: RedisPlace, answerMs: number) {
  return {
    ...(place.username !== undefined && { username: place.username }),
    ...(place.password !== undefined && { password: place.password }),
    db: place.database,
    connectionName: 'speechfb',
    autoResendUnfulfilledCommands: false,
    // What was under way on a connection that broke has failed, at once.
    maxRetriesPerRequest: 0,
    commandTimeout: answerMs,
    connectTimeout: connectMs,
    enableOfflineQueue: false,
    retryStrategy: redisBackoffMs,
    // One that still reads its data is asked again after this, ms.
    maxLoadingRetryTime: 1000,
  } satisfies RedisOptions;
}

/** Without a server name a certificate is held against the address that a sentinel said. */
function reachedBy(place: Exclude<RedisPlace, ClusterPlace>, answerMs: number, found: (master: RedisAddress) => void) {
  const { isSecure } = place;
  if (!('sentinels' in place)) {
    const { host, port } = place;
    const tls = isIP(host) === 0 ? { servername: host } : {};
    return { host, port, ...(isSecure && { tls }) } satisfies RedisOptions;
  }
  const { sentinels, master, sentinelLogin } = place;
  return {
    Connector: QuietSentinels,
    sentinels: [...sentinels],
    name: master,
    ...(sentinelLogin.username !== undefined && { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin.password !== undefined && { sentinelPassword: sentinelLogin.password }),
    ...(sentinelLogin.isSecure && { sentinelTLS: {} }),
    ...(isSecure && { tls: {}, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: answerMs,
    sentinelRetryStrategy: redisBackoffMs,
    sentinelReconnectStrategy: redisBackoffMs,
    // A master that was cut off from its sentinels alone goes on taking what nobody will find.
    failoverDetector: true,
    updateSentinels: true,
    // The last address that is asked for is the master's, behind those of other sentinels.
    natMap: (address) => {
      const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
      found({ host, port: Number(port) });
      return null;
    },
  } satisfies RedisOptions;
}

function clusterOptions(place: RedisPlace, answerMs: number) {
  const { enableOfflineQueue, retryStrategy, db, ...redisOptions } = optionsOf(place, answerMs);
  return {
    redisOptions: { ...redisOptions, ...(place.isSecure && { tls: {} }) },
    // Else a node that is still being connected to would refuse what comes to it.
    enableOfflineQueue: true,
    // Who is ready is asked by the link, and says what is wrong.
    enableReadyCheck: false,
    clusterRetryStrategy: redisBackoffMs,
    // Each failure is heard at once: what is to be done again is done anew, as of then.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: tryAgainMs,
    maxRedirections: 4,
    slotsRefreshTimeout: answerMs,
    slotsRefreshInterval: refreshMs,
    // Names of nodes are what certificates are for.
    ...(place.isSecure && { dnsLookup: verbatim }),
  } satisfies ClusterOptions;
}

const verbatim: DNSLookupFunction = (address, done) => done(null, address);

/** A master that has one slot in 64 is missed once in 10^7: (1 - 1/64) ^ 1024. */
const mostKeys = 1024;
const connectMs = 2000;
/** Keys of one call may be on their way to another node. */
const tryAgainMs = 50;
const refreshMs = 1000;

import type { Log } from '../../telemetry/log.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { CapStore } from '../cap-store.ts';
import type { ResultStore } from '../result-store.ts';
import type { SessionStore } from '../session-store.ts';
import { RedisCapStore } from './redis-cap-store.ts';
import { RedisLink } from './redis-link.ts';
import { redisPlaceOf } from './redis-place.ts';
import { RedisResultStore } from './redis-result-store.ts';
import { RedisSessionStore, type StoreNews } from './redis-session-store.ts';
import type { RedisTrouble } from './redis-trouble.ts';
import { TracedStore } from './traced-store.ts';

/**
 * What `--store` says, as it was given: a secret stays in the environment until it is needed.
 * @throws SpeechfbError `bad_url`, `unset_variable`
 */
export function checkStore(given: string): string | undefined {
  if (given === 'memory') return undefined;
  redisPlaceOf(given);
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
  const { url, place } = redisPlaceOf(given);
  const heard = heardBy(log, url, 'the store', (node) => (node === undefined ? alone : partlyAlone));
  const link = new RedisLink({ place, region, ...heard });
  const store = new RedisSessionStore(link, region, newsBy(log, url));
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
  const { url, place } = redisPlaceOf(given);
  const heard = heardBy(log, url, 'the store of results', () => 'what is scored later waits');
  return new RedisResultStore({ place, region, ...heard });
}

/** Logs what a store has lost, and whether other gateways are there. */
function newsBy(log: Log, url: string): StoreNews {
  let lost = 0;
  let saidMs = Number.NEGATIVE_INFINITY;
  let aloneLong: NodeJS.Timeout | undefined;
  return {
    onLost() {
      lost += 1;
      if (lost > 1) return;
      // Many are found out at once: an empty store is one event.
      const inMs = Math.max(lostTogetherMs, saidMs + lostEveryMs - performance.now());
      setTimeout(() => {
        log.warn({ store: url, sessions: lost }, `the store had lost sessions that were kept there: ${whyLost}`);
        lost = 0;
        saidMs = performance.now();
      }, inMs).unref();
    },
    onAlone(isAlone) {
      clearTimeout(aloneLong);
      if (isAlone) aloneLong = setTimeout(() => log.warn({ store: url }, stillAlone), aloneForMs).unref();
      log.info({ store: url }, isAlone ? 'no other gateway is at the store' : 'other gateways are at the store');
    },
  };
}

/** Logs that a store stops, all of it or a node, why, and that it answers again. */
function heardBy(log: Log, url: string, what: string, without: (node: string | undefined) => string) {
  let refusedMs = Number.NEGATIVE_INFINITY;
  const nameOf = (node: string | undefined): string => (node === undefined ? what : `a node of ${what}`);
  return {
    onDown({ why, reason }: RedisTrouble, node?: string): void {
      const does = why === 'refused' ? 'refuses what it is asked' : 'does not answer';
      const because = reason === undefined ? '' : ` (${reason})`;
      log.warn({ store: url, why, node }, `${nameOf(node)} ${does}${because}: ${without(node)}`);
    },
    onBack(node?: string): void {
      log.info({ store: url, node }, `${nameOf(node)} answers`);
    },
    onRefused({ reason }: RedisTrouble): void {
      if (performance.now() - refusedMs < refusedEveryMs) return;
      refusedMs = performance.now();
      log.warn({ store: url }, `${what} refuses a call, and does others: ${reason}`);
    },
  };
}

/** Others of a rollout have come by then. */
const aloneForMs = 60_000;
const stillAlone =
  'no other gateway is at the store for a minute now: no session can go on elsewhere; where others run, compare the host and database of their --store, and their --region';
const alone = 'no session can go on at another gateway, and each counts the caps of tenants by itself';
const partlyAlone =
  'sessions that are kept there cannot go on at another gateway, and each counts the caps of some tenants by itself';
const whyLost =
  'it was emptied, evicts what does not fit (maxmemory-policy), or its clock was put forward; they are written again';
const lostTogetherMs = 500;
const lostEveryMs = 60_000;
const refusedEveryMs = 60_000;

import type { Account } from './account.ts';
import type { CallerAccounts } from './accounts.ts';

/** A place that a session has, the accounts that it counts under, and its rank in `shedOrder`. */
export type HeldPlace<Session> = { session: Session; accounts: CallerAccounts; rank: number };

/**
 * The session that goes so that somebody with fewer may come in, where the machine is what is
 * short: the newest of who has most in proportion to its weight, as long as that one still has as
 * many as the other then. So those who ask come to max-min fair shares (Bertsekas and Gallager,
 * "Data Networks", 6.5.2), one place at a time. Tokens, tenants or addresses are compared first,
 * and then, among the places of the asker's own, its users and addresses.
 *
 * @param places those in use, the oldest first
 * @param rank of the asker in `shedOrder`: nobody goes who would stay longer
 * @param guaranteed places that nobody who has no more is asked for
 */
export function firstForOther<Session>(
  places: readonly HeldPlace<Session>[],
  asker: CallerAccounts,
  { rank, guaranteed }: { rank: number; guaranteed: number },
): Session | undefined {
  let among = places;
  for (const [level, own] of asker.entries()) {
    const parties = partiesOf(among, level);
    const mine = parties.get(own) ?? [];
    let richest: HeldPlace<Session>[] = [];
    let most = (mine.length + 1) / own.weight;
    for (const [other, held] of isCompared(own, level) ? parties : []) {
      if (other === undefined || other === own || held.length <= guaranteed || !isCompared(other, level)) continue;
      const left = (held.length - 1) / other.weight;
      if (left < most || (left === most && richest.length > 0)) continue;
      richest = held;
      most = left;
    }
    if (richest.length > 0) return newestOf(richest, level + 1, rank);
    among = mine;
  }
  return undefined;
}

/** The newest of these places of up to this rank, of the user or address that has most of them. */
export function newestOf<Session>(
  places: readonly HeldPlace<Session>[],
  level: number,
  rank: number,
): Session | undefined {
  let among = places.filter((place) => place.rank <= rank);
  for (let at = level; among.some(({ accounts }) => accounts.length > at); at++) {
    among = [...partiesOf(among, at).values()].reduce((most, party) => (party.length < most.length ? most : party));
  }
  return among.at(-1)?.session;
}

/**
 * The sessions in the order in which they go when there are too many, the first to go first: by
 * rank, then of who has most beyond what is guaranteed, until all have the same, then the newest.
 */
export function inOrderOfGoing<Session>(places: readonly HeldPlace<Session>[], guaranteed: number): Session[] {
  const ages = new Map(places.map((place, at) => [place, at]));
  const ordered = orderOf(places, 0, guaranteed, ages);
  return ordered.sort((left, right) => left.rank - right.rank).map(({ session }) => session);
}

/** @param ages higher for what is newer */
function orderOf<Session>(
  places: readonly HeldPlace<Session>[],
  level: number,
  guaranteed: number,
  ages: ReadonlyMap<HeldPlace<Session>, number>,
): HeldPlace<Session>[] {
  if (!places.some(({ accounts }) => accounts.length > level)) return [...places].reverse();
  const turns = [...partiesOf(places, level)].flatMap(([account, party]) => {
    const isParty = account !== undefined && isCompared(account, level);
    // Nobody goes before those of the same party that go first.
    let age = Number.POSITIVE_INFINITY;
    return orderOf(party, level + 1, guaranteed, ages).map((place, at) => {
      const held = party.length - at;
      age = Math.min(age, ages.get(place)!);
      return { place, age, beyond: isParty && held > guaranteed ? held / account.weight : 0 };
    });
  });
  return turns.sort((left, right) => right.beyond - left.beyond || right.age - left.age).map(({ place }) => place);
}

/** Whether an account is one of several who want the same; a token that all have is nobody. */
function isCompared(account: Account, level: number): boolean {
  return level > 0 || account.isShared;
}

/** The places by the account that they count under at this level, the oldest first. */
function partiesOf<Session>(
  places: readonly HeldPlace<Session>[],
  level: number,
): Map<Account | undefined, HeldPlace<Session>[]> {
  const parties = new Map<Account | undefined, HeldPlace<Session>[]>();
  for (const place of places) {
    const account = place.accounts[level];
    const party = parties.get(account);
    if (party) party.push(place);
    else parties.set(account, [place]);
  }
  return parties;
}

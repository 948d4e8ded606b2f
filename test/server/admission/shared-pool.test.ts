import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/server/admission/account.ts';
import { SharedPool } from '../../../src/server/admission/shared-pool.ts';
import { newAccount } from '../../kit/server/accounts.ts';

describe('a pool that accounts share', () => {
  it.each([
    [400, 0.9, 360],
    [10, 0.9, 9],
    [2, 0.9, 1],
    [1, 0.9, 1],
    [100, 0.5, 50],
    [100, 1, 100],
  ])('of %i places with a share of %d gives one account %i', (capacity, share, expected) => {
    expect(takeAll(new SharedPool(() => capacity, share), newAccount('token'))).toBe(expected);
  });

  it('gives those who come later nine tenths of what is left', () => {
    const pool = new SharedPool(() => 400, 0.9);
    expect(accounts(4).map((account) => takeAll(pool, account))).toEqual([360, 36, 3, 1]);
    expect(pool.lacks(newAccount('token'))).toBe('full');
  });

  it.each([
    [1, 1],
    [3, 1],
    [2, 5],
  ])('gives accounts of weights %i and %i as many in proportion, when both always want more', (first, second) => {
    const pool = new SharedPool(() => 400, 0.9);
    const pair = accounts(2);
    for (const [at, weight] of [first, second].entries()) {
      pair[at]!.terms = { caps: {}, weight, class: 'live', isShared: true };
    }
    const held = pair.map((): (() => void)[] => []);
    const fill = (): void => {
      for (const at of [0, 1]) while (pool.lacks(pair[at]!) === undefined) held[at]!.push(pool.take(pair[at]!));
    };
    fill();
    // Sessions end by turns, whoever's they are, and each wants another at once.
    for (let turn = 0; turn < 4000; turn++) {
      const ending = turn % 400 < held[0]!.length ? 0 : 1;
      held[ending]!.shift()?.();
      fill();
    }
    expect(held[0]!.length / first / (held[1]!.length / second)).toBeCloseTo(1, 0);
  });

  it('gives everything to an account that shares with nobody', () => {
    const pool = new SharedPool(() => 400, 0.9);
    expect(takeAll(pool, newAccount('machine'))).toBe(400);
  });

  it('gives what a greedy account gives back to those that have less', () => {
    const pool = new SharedPool(() => 100, 0.9);
    const [greedy, other] = accounts(2);
    const places = Array.from({ length: takeAllButCount(pool, greedy!) }, () => pool.take(greedy!));
    takeAll(pool, other!);
    for (const free of places) {
      free();
      free();
      for (const account of [greedy!, other!]) while (pool.lacks(account) === undefined) pool.take(account);
    }
    // One place that is left is worth nine that are held.
    expect(Math.abs(pool.heldBy(greedy!) - pool.heldBy(other!))).toBeLessThanOrEqual(9);
    expect(pool.taken).toBe(pool.heldBy(greedy!) + pool.heldBy(other!));
  });

  it('gives up a place of the account that has most, and of none that would have less then', () => {
    const pool = new SharedPool(() => 10, 0.9);
    const [greedy, other, third] = accounts(3);
    for (const [account, amount] of [
      [greedy!, 6],
      [other!, 3],
      [third!, 1],
    ] as const)
      pool.take(account, amount);
    const places = [other!, greedy!, greedy!, third!].map((account) => ({ account, giveUp() {} }));
    expect(pool.giveUpFor(third!, places)).toBe(places[1]);
    expect(pool.giveUpFor(third!, places.slice(0, 1))).toBe(places[0]);
    expect(pool.giveUpFor(greedy!, places)).toBeUndefined();
    expect(pool.giveUpFor(other!, [places[3]!])).toBeUndefined();
    expect(pool.giveUpFor(third!, [])).toBeUndefined();
    const machine = newAccount('machine');
    expect(pool.giveUpFor(machine, places)).toBeUndefined();
  });

  const act = fc.record({ who: fc.integer({ min: 0, max: 4 }), free: fc.boolean() });
  const acts = fc.array(act, { maxLength: 300 });

  it('never gives more than it has, and forgets accounts that have nothing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        acts,
        (size, share, all) => {
          const pool = new SharedPool(() => size, share);
          const who = accounts(5);
          const held = who.map((): (() => void)[] => []);
          for (const { who: index, free } of all) {
            if (free) held[index]!.pop()?.();
            else if (pool.lacks(who[index]!) === undefined) held[index]!.push(pool.take(who[index]!));
            expect(pool.taken).toBeLessThanOrEqual(size);
            expect(pool.taken).toBe(held.reduce((total, places) => total + places.length, 0));
          }
        },
      ),
    );
  });

  it('always has something for who has nothing, as long as fewer greedy accounts came than it has powers of ten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), acts, (greedy, all) => {
        const pool = new SharedPool(() => 1000, 0.9);
        const who = accounts(greedy);
        const held = who.map((): (() => void)[] => []);
        for (const { who: index, free } of all) {
          const own = index % greedy;
          if (free) held[own]!.pop()?.();
          while (!free && pool.lacks(who[own]!) === undefined) held[own]!.push(pool.take(who[own]!));
          expect(pool.lacks(newAccount('token'))).toBeUndefined();
        }
      }),
    );
  });

  it('refuses nobody who has at most his fair share while greedy accounts keep what waits to be given up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 6, max: 60 }), (count, size) => {
        const pool = new SharedPool(() => size, 0.9);
        const who = accounts(count);
        const places: { account: Account; giveUp(): void }[] = [];
        const take = (account: Account): void => {
          const free = pool.take(account);
          const place = {
            account,
            giveUp() {
              free();
              places.splice(places.indexOf(place), 1);
            },
          };
          places.push(place);
        };
        while (pool.lacks(who[0]!) === undefined) take(who[0]!);
        const fair = Math.floor((0.9 * size) / (0.1 + 0.9 * count));
        for (const account of who.slice(1)) {
          for (let i = 0; i < fair; i++) {
            const lacks = pool.lacks(account);
            const givenUp = lacks && pool.giveUpFor(account, places);
            expect(lacks === undefined || givenUp !== undefined).toBe(true);
            givenUp?.giveUp();
            take(account);
          }
        }
        expect(pool.taken).toBeLessThanOrEqual(size);
      }),
    );
  });
});

function accounts(count: number): Account[] {
  return Array.from({ length: count }, () => newAccount('token'));
}

function takeAll(pool: SharedPool, account: Account): number {
  let count = 0;
  for (; pool.lacks(account) === undefined; count++) pool.take(account);
  return count;
}

/** How many the account could take, none of which it keeps. */
function takeAllButCount(pool: SharedPool, account: Account): number {
  const places: (() => void)[] = [];
  while (pool.lacks(account) === undefined) places.push(pool.take(account));
  for (const free of places) free();
  return places.length;
}

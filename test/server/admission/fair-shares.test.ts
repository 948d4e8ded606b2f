import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/server/admission/account.ts';
import type { CallerAccounts } from '../../../src/server/admission/accounts.ts';
import { firstForOther, type HeldPlace, inOrderOfGoing } from '../../../src/server/admission/fair-shares.ts';
import { newAccount } from '../../kit/server/accounts.ts';

const token = (weight = 1): Account => {
  const account = newAccount('token');
  account.terms = { caps: {}, weight, class: 'live', isShared: true };
  return account;
};
const address = (isShared = true): Account => newAccount('address', { isShared });
const [live, batch] = [3, 0];

/** Sessions that are numbered as they came, the oldest first. */
function places(...held: (readonly [CallerAccounts, count: number, rank?: number])[]): HeldPlace<number>[] {
  const each = held.flatMap(([accounts, count, rank = live]) =>
    Array.from({ length: count }, () => ({ accounts, rank })),
  );
  return each.map((place, session) => ({ ...place, session }));
}

describe('for a caller with fewer', () => {
  const [crowd, other] = [token(), token()];
  const asked = { rank: live, guaranteed: 2 };

  it.each<[string, HeldPlace<number>[], Partial<typeof asked>, number | undefined]>([
    ['the newest of who has most goes', places([[crowd], 6], [[other], 1]), {}, 5],
    ['nobody goes where it would then have more', places([[crowd], 4], [[other], 3]), {}, undefined],
    ['nobody goes of who has no more than is guaranteed', places([[crowd], 6]), { guaranteed: 6 }, undefined],
    ['nobody goes who goes after it', places([[crowd], 6]), { rank: batch }, undefined],
    ['of who has most those go that may', places([[crowd], 1, batch], [[crowd], 5]), { rank: batch }, 0],
    ['nobody goes of its own', places([[other], 6]), {}, undefined],
  ])('%s', (_, held, how, expected) => {
    expect(firstForOther(held, [other], { ...asked, ...how })).toBe(expected);
  });

  it('weights say how much each may have', () => {
    const heavy = token(4);
    const pick = (heavies: number, lights: number) =>
      firstForOther(places([[heavy], heavies], [[crowd], lights]), [other], asked);
    expect([pick(8, 5), pick(24, 5), pick(12, 3)]).toEqual([12, 23, 11]);
  });

  it('of one token with many users the address goes that has most, and of a token that all have', () => {
    const app = newAccount('token', { isShared: false });
    const [school, home, new_] = [address(false), address(false), address(false)];
    const held = places([[app, school], 6], [[app, home], 2]);
    expect(firstForOther(held, [app, new_], asked)).toBe(5);
    expect(firstForOther(held, [app, school], asked)).toBeUndefined();
    // One that calls from this machine may be anybody's proxy.
    expect(firstForOther(held, [app], asked)).toBeUndefined();
    const shared = token();
    const within = places([[shared, home], 1], [[shared, school], 6], [[shared, home], 1]);
    expect(firstForOther(within, [other, new_], asked)).toBe(6);
  });

  it('who is told from nobody takes nothing of anybody', () => {
    expect(firstForOther(places([[address()], 6]), [newAccount('machine')], asked)).toBeUndefined();
    expect(firstForOther(places([[newAccount('machine')], 6]), [address()], asked)).toBeUndefined();
  });

  it('all who ask on and on have the same in the end, less one, save what is guaranteed', () => {
    const counts = fc.array(fc.nat(20), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 4 }), (had, guaranteed) => {
        const accounts = had.map(() => token());
        const held = [...had];
        const place = (account: Account, count: number) => [[account], count] as const;
        const ask = (asker: number): boolean => {
          const now = places(...accounts.map((account, at) => place(account, held[at]!)));
          const going = firstForOther(now, [accounts[asker]!], { rank: live, guaranteed });
          if (going === undefined) return false;
          held[accounts.indexOf(now[going]!.accounts[0])]! -= 1;
          held[asker]! += 1;
          return true;
        };
        while (accounts.some((_, asker) => ask(asker)));
        const total = (counts_: readonly number[]) => counts_.reduce((sum, count) => sum + count, 0);
        expect(total(held)).toBe(total(had));
        expect(Math.max(...held)).toBeLessThanOrEqual(Math.max(guaranteed, Math.min(...held) + 1));
      }),
    );
  });
});

describe('where too many are inside', () => {
  const [crowd, other, third] = [token(), token(), token()];

  it.each<[string, HeldPlace<number>[], guaranteed: number, number[]]>([
    ['the newest go', places([[other], 1], [[crowd], 1], [[third], 1]), 0, [2, 1, 0]],
    ['first those of who has most', places([[crowd], 3], [[other], 1]), 0, [2, 1, 3, 0]],
    ['by turns once they have the same', places([[crowd], 3], [[other], 2]), 0, [2, 4, 1, 3, 0]],
    ['of any once nobody has more than is guaranteed', places([[crowd], 3], [[other], 2]), 2, [2, 4, 3, 1, 0]],
    ['whatever goes first before all others', places([[other], 1, batch], [[crowd], 2]), 0, [0, 2, 1]],
  ])('%s', (_, held, guaranteed, expected) => {
    expect(inOrderOfGoing(held, guaranteed)).toEqual(expected);
  });

  it('of one token first those of the address that has most', () => {
    const app = newAccount('token', { isShared: false });
    const [school, home] = [address(false), address(false)];
    expect(inOrderOfGoing(places([[app, school], 3], [[app, home], 1]), 1)).toEqual([2, 1, 3, 0]);
    const shared = token();
    const held = places([[shared, school], 2], [[shared, home], 1], [[other], 1]);
    expect(inOrderOfGoing(held, 0)).toEqual([1, 2, 3, 0]);
  });
});

import type { Account } from './account.ts';

/** Somebody's place that could be given up for somebody else. */
export type GivenUp = { account: Account; giveUp(): void };

/**
 * Places that all accounts take from, such as sessions. An account that shares them takes at most
 * `share` of what the others have left (dynamic thresholds; Choudhury and Hahne, IEEE/ACM Trans.
 * Networking 6(2), 1998): alone it may have `share` of all, and each one that comes after it still
 * finds something. Who wants more and got it early keeps it, and what it gives back goes to those
 * that have less, until all that want more have the same, in proportion to their weights.
 */
export class SharedPool {
  readonly #capacity: () => number;
  readonly #share: number;
  readonly #held = new Map<Account, number>();
  #taken = 0;

  /**
   * @param capacity read anew each time: less than is taken only lets nobody in
   * @param share of an account, from 0; 1 and more: one may have it all.
   */
  constructor(capacity: () => number, share: number) {
    this.#capacity = capacity;
    this.#share = share;
  }

  /** How much is taken. */
  get taken(): number {
    return this.#taken;
  }

  heldBy(account: Account): number {
    return this.#held.get(account) ?? 0;
  }

  /**
   * Why the account gets no more now: nothing is left, or what is left is for others.
   *
   * @param kept so many places are for somebody else
   */
  lacks(account: Account, amount = 1, kept = 0): 'full' | 'share' | undefined {
    const left = this.#capacity() - kept - this.#taken - amount;
    if (left < 0) return 'full';
    const held = this.heldBy(account);
    // The first is never more than its share.
    if (!account.isShared || this.#share >= 1 || held === 0) return undefined;
    const most = account.weight * left * this.#share + rounding;
    return (held + amount) * (1 - this.#share) > most ? 'share' : undefined;
  }

  /**
   * The place to give up so that the account may have one, if there is one: of the account that has
   * most, and only of one that still has as many as the other then.
   * @param candidates the first to go first.
   */
  giveUpFor(account: Account, candidates: Iterable<GivenUp>): GivenUp | undefined {
    let chosen: GivenUp | undefined;
    // In proportion to their weights: what each would have then.
    let most = (this.heldBy(account) + 1) / account.weight;
    const without = (other: Account, held: number): number => (held - 1) / other.weight;
    if (!account.isShared || this.#share >= 1) return undefined;
    // A greedy one that is refused asks often: there are fewer accounts than candidates.
    if (![...this.#held].some(([other, held]) => other !== account && without(other, held) >= most)) return undefined;
    for (const candidate of candidates) {
      const left = without(candidate.account, this.heldBy(candidate.account));
      if (candidate.account === account || !candidate.account.isShared) continue;
      if (chosen ? left <= most : left < most) continue;
      chosen = candidate;
      most = left;
    }
    return chosen;
  }

  /** Takes places; the function gives them back, once. */
  take(account: Account, amount = 1): () => void {
    this.#add(account, amount);
    let held = amount;
    return () => {
      this.#add(account, -held);
      held = 0;
    };
  }

  #add(account: Account, amount: number): void {
    this.#taken += amount;
    const held = this.heldBy(account) + amount;
    if (held > 0) this.#held.set(account, held);
    else this.#held.delete(account);
  }
}

/** A share such as 0.9 is no whole binary fraction. */
const rounding = 1e-9;

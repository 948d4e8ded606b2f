import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { Account, type AccountKind } from './account.ts';

/** The accounts that one caller is counted under; places are shared by the first. */
export type CallerAccounts = readonly [Account, ...Account[]];

/** The first refusal of these accounts, those behind it not asked. */
export function refusedBy(
  accounts: CallerAccounts,
  ask: (account: Account) => Refusal | undefined,
): Refusal | undefined {
  for (const account of accounts) {
    const refusal = ask(account);
    if (refusal) return refusal;
  }
  return undefined;
}

/**
 * The accounts of all tokens and addresses. Their number is bounded: of addresses that have nothing
 * open, those that have not called for longest are forgotten, so that many addresses cost no
 * memory.
 */
export class Accounts {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #tokens: number;
  readonly #machine: Account;
  readonly #byToken = new Map<string, Account>();
  /** In the order of their last call. */
  readonly #byAddress = new Map<string, Account>();

  /** @param tokens how many there are; 0: the server knows none. */
  constructor({ limits, tokens, now }: { limits: Limits; tokens: number; now: () => number }) {
    this.#limits = limits;
    this.#tokens = tokens;
    this.#now = now;
    this.#machine = this.#create('machine', false);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#byToken.size + this.#byAddress.size + 1;
  }

  /**
   * @param owner the name of the token, which the caller has shown.
   * @param address as `accountOf` counts it; undefined: it tells nothing.
   */
  of({ owner, address }: { owner: string | undefined; address: string | undefined }): CallerAccounts {
    const byAddress = address === undefined ? [] : [this.#ofAddress(address)];
    if (owner !== undefined) return [this.#ofToken(owner), ...byAddress];
    const [first = this.#machine] = byAddress;
    return [first];
  }

  #ofToken(name: string): Account {
    const account = this.#byToken.get(name) ?? this.#create('token', this.#tokens > 1);
    this.#byToken.set(name, account);
    return account;
  }

  #ofAddress(address: string): Account {
    const account = this.#byAddress.get(address) ?? this.#create('address', this.#tokens === 0);
    this.#byAddress.delete(address);
    if (this.#byAddress.size >= this.#limits.maxAddresses) this.#forgetOne();
    this.#byAddress.set(address, account);
    return account;
  }

  /** Forgets the first that has nothing open; those that have are as many as there are places. */
  #forgetOne(): void {
    let unseen = this.#byAddress.size;
    for (const [address, account] of this.#byAddress) {
      if (unseen === 0) return;
      unseen -= 1;
      this.#byAddress.delete(address);
      if (!account.isInUse) return;
      this.#byAddress.set(address, account);
    }
  }

  #create(kind: AccountKind, isShared: boolean): Account {
    return new Account({ kind, isShared, limits: this.#limits, nowMs: this.#now() });
  }
}

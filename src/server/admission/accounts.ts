import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { Account, type AccountKind, type RatesTaken } from './account.ts';

/** The client behind a request. */
export type Caller = {
  /** The name of the client's token, which it has shown; without tokens no client has one. */
  owner: string | undefined;
  /** As `accountOf` counts it; undefined on this machine, where it tells nothing. */
  address: string | undefined;
};

/** What one account, named by its token or its address alone, has spent. */
export type Spending = RatesTaken & { caller: Caller };

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
  /** What has been spent and not been told; undefined: nobody asks. */
  readonly #spenders: Map<Account, Caller> | undefined;

  /**
   * @param tokens how many there are; 0: the server knows none.
   * @param tellsSpending whether `takeSpent` will be called.
   */
  constructor({ limits, tokens, now, tellsSpending = false }: AccountsOptions) {
    this.#limits = limits;
    this.#tokens = tokens;
    this.#now = now;
    this.#spenders = tellsSpending ? new Map() : undefined;
    this.#machine = this.#create('machine', false, machine);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#byToken.size + this.#byAddress.size + 1;
  }

  of({ owner, address }: Caller): CallerAccounts {
    const byAddress = address === undefined ? [] : [this.#ofAddress(address)];
    if (owner !== undefined) return [this.#ofToken(owner), ...byAddress];
    const [first = this.#machine] = byAddress;
    return [first];
  }

  /** What callers have taken of their rates since this was asked before. */
  takeSpent(): Spending[] {
    const spent = [...(this.#spenders ?? [])].map(([account, caller]) => ({ caller, ...account.takeSpent() }));
    this.#spenders?.clear();
    return spent;
  }

  /** Charges callers for what they have taken at another gateway of this server. */
  owe(spending: readonly Spending[]): void {
    for (const { caller, ...spent } of spending) this.of(caller)[0].owe(this.#now(), spent);
  }

  #ofToken(name: string): Account {
    const account = this.#byToken.get(name) ?? this.#create('token', this.#tokens > 1, { ...machine, owner: name });
    this.#byToken.set(name, account);
    return account;
  }

  #ofAddress(address: string): Account {
    const account =
      this.#byAddress.get(address) ?? this.#create('address', this.#tokens === 0, { ...machine, address });
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

  #create(kind: AccountKind, isShared: boolean, caller: Caller): Account {
    const onSpent = (account: Account): void => void this.#spenders?.set(account, caller);
    return new Account({ kind, isShared, limits: this.#limits, nowMs: this.#now(), onSpent });
  }
}

export type AccountsOptions = { limits: Limits; tokens: number; now: () => number; tellsSpending?: boolean };

/** Whoever has shown no token and calls from this machine. */
const machine: Caller = { owner: undefined, address: undefined };

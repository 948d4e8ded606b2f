import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { Account, type AccountKind, type RatesTaken } from './account.ts';
import type { Membership } from './membership.ts';

/** The client behind a request. */
export type Caller = {
  /** The name of the client's token, which it has shown; without tokens no client has one. */
  owner: string | undefined;
  /** As `accountOf` counts it; undefined on this machine, where it tells nothing. */
  address: string | undefined;
  /** The tenant that it belongs to; absent: to none. */
  member?: Membership;
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
  readonly #byTenant = new Map<string, Account>();
  /** In the order of their last call, as addresses are. */
  readonly #byUser = new Map<string, Account>();
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
    return this.#byToken.size + this.#byTenant.size + this.#byUser.size + this.#byAddress.size + 1;
  }

  of({ owner, address, member }: Caller): CallerAccounts {
    const byAddress = address === undefined ? [] : [this.#ofAddress(address)];
    if (member) return [...this.#ofMember(member), ...byAddress];
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

  /** The account of a tenant, on the terms that it has now, and that of one of its own. */
  #ofMember(member: Membership): [Account, ...Account[]] {
    const { tenant, user, weight, caps, userCaps } = member;
    const isShared = member.isShared || this.#tokens > 1;
    const whole = { ...machine, member: { ...member, user: undefined } };
    const account = this.#byTenant.get(tenant) ?? this.#create('tenant', isShared, whole);
    this.#byTenant.set(tenant, account);
    account.terms = { caps, weight, isShared, class: member.class };
    if (user === undefined) return [account];
    const own = remembered(this.#byUser, `${tenant}/${user}`, this.#limits.maxAddresses, () =>
      this.#create('user', false, { ...machine, member }),
    );
    own.terms = { caps: userCaps, weight: 1, isShared: false, class: member.class };
    return [account, own];
  }

  #ofAddress(address: string): Account {
    return remembered(this.#byAddress, address, this.#limits.maxAddresses, () =>
      this.#create('address', this.#tokens === 0, { ...machine, address }),
    );
  }

  #create(kind: AccountKind, isShared: boolean, caller: Caller): Account {
    const onSpent = (account: Account): void => void this.#spenders?.set(account, caller);
    return new Account({ kind, address: caller.address, isShared, limits: this.#limits, nowMs: this.#now(), onSpent });
  }
}

/**
 * The account of that name; of those with nothing open, the one that called first may be forgotten.
 */
function remembered(accounts: Map<string, Account>, name: string, most: number, create: () => Account): Account {
  const account = accounts.get(name) ?? create();
  accounts.delete(name);
  if (accounts.size >= most) forgetOne(accounts);
  accounts.set(name, account);
  return account;
}

/** Forgets the first that has nothing open; those that have are as many as there are places. */
function forgetOne(accounts: Map<string, Account>): void {
  let unseen = accounts.size;
  for (const [name, account] of accounts) {
    if (unseen === 0) return;
    unseen -= 1;
    accounts.delete(name);
    if (!account.isInUse) return;
    accounts.set(name, account);
  }
}

export type AccountsOptions = { limits: Limits; tokens: number; now: () => number; tellsSpending?: boolean };

/** Whoever has shown no token and calls from this machine. */
const machine: Caller = { owner: undefined, address: undefined };

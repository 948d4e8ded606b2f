import type { Account } from '../admission/account.ts';
import type { CallerAccounts } from '../admission/accounts.ts';
import { jittered } from '../admission/admission.ts';
import { ReturnTickets } from '../admission/return-tickets.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { shedOrder } from '../admission/shed-order.ts';
import type { ServerContext } from '../session/context.ts';
import type { Session } from '../session/session.ts';
import type { Registry } from './registry.ts';

export type DismissalOptions = {
  context: Pick<ServerContext, 'limits' | 'metrics' | 'now'>;
  registry: Registry;
  /** Sessions that there may be at once. */
  capacity(): number;
};

/** Sends sessions away because the server has too many, each with when to come back. */
export class Dismissal {
  /** The places that are kept for those who come back. */
  readonly returns: ReturnTickets;
  readonly #options: DismissalOptions;
  /** Sessions that were sent away for others. */
  readonly #leaving = new Set<Session>();

  constructor(options: DismissalOptions) {
    this.#options = options;
    this.returns = new ReturnTickets(options.context.limits);
  }

  /**
   * A learner finds a place kept; a program that can wait, and whoever goes before others or for
   * somebody with fewer, has none kept for it.
   */
  send(session: Session, isForOther = false): void {
    const { context, registry } = this.#options;
    const afterMs = jittered(context.limits.busyRetryMs);
    const isKept = !isForOther && registry.rankOf(session) === shedOrder.indexOf('live');
    session.shed({ afterMs, ticket: isKept ? this.returns.issue(context.now(), afterMs) : null });
    context.metrics.sentAway(session.lane);
  }

  /**
   * The session that goes first of those that go before this place in `shedOrder`; undefined while
   * as many as may go at once are on their way out, since they take memory until they have gone.
   */
  toGoBefore(rank: number): GivenUp | undefined {
    const { registry, capacity } = this.#options;
    if (rank === 0 || registry.countByState().ending > capacity() * mostEndingShare) return undefined;
    const session = registry.firstToGo();
    if (!session || registry.rankOf(session) >= rank) return undefined;
    const account = registry.accountOf(session);
    return account && { account, giveUp: () => this.send(session) };
  }

  /**
   * The session that goes for a caller who has fewer than the one who has most; undefined: all have
   * about the same, or no more than everybody keeps, or as many as may go at once do.
   */
  toGoFor(asker: CallerAccounts, rank: number): GivenUp | undefined {
    const { registry } = this.#options;
    if (!this.#mayGoForOthers()) return undefined;
    const session = registry.firstForOther(asker, rank, this.guaranteed);
    const account = session && registry.accountOf(session);
    return account && { account, giveUp: () => this.#sendForOther(session) };
  }

  /**
   * Sends away the newest session of this account, of those up to this rank, for somebody with
   * fewer; false: none may go.
   */
  sendOneOf(account: Account, rank: number): boolean {
    if (!this.#mayGoForOthers()) return false;
    const session = this.#options.registry.newestOf(account, rank);
    if (session) this.#sendForOther(session);
    return session !== undefined;
  }

  /** Sessions that a token, tenant or address keeps whoever asks. */
  get guaranteed(): number {
    const { context, capacity } = this.#options;
    return capacity() * context.limits.guaranteedShare;
  }

  #mayGoForOthers(): boolean {
    const { placeShare, guaranteedShare } = this.#options.context.limits;
    return placeShare < 1 && guaranteedShare < 1 && this.#countLeaving() <= this.#mostLeaving;
  }

  /**
   * Sessions that are on their way out for others: until they have gone they take memory, and what
   * was said to them is scored.
   */
  #countLeaving(): number {
    for (const session of this.#leaving) if (!this.#options.registry.has(session.id)) this.#leaving.delete(session);
    return this.#leaving.size;
  }

  get #mostLeaving(): number {
    return Math.max(fewEnding, this.#options.capacity() * mostEndingShare);
  }

  #sendForOther(session: Session): void {
    this.#leaving.add(session);
    this.send(session, true);
  }
}

const mostEndingShare = 0.1;
/** So few are no burden. */
const fewEnding = 4;

import { jittered } from '../admission/admission.ts';
import { ReturnTickets } from '../admission/return-tickets.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import { shedOrder } from '../admission/shed-order.ts';
import type { ServerContext } from '../session/context.ts';
import type { Session } from '../session/session.ts';
import type { Registry } from './registry.ts';

export type DismissalOptions = {
  context: Pick<ServerContext, 'limits' | 'metrics' | 'overload' | 'now'>;
  registry: Registry;
};

/** Sends sessions away because the server has too many, each with when to come back. */
export class Dismissal {
  /** The places that are kept for those who come back. */
  readonly returns: ReturnTickets;
  readonly #options: DismissalOptions;

  constructor(options: DismissalOptions) {
    this.#options = options;
    this.returns = new ReturnTickets(options.context.limits);
  }

  /**
   * A learner finds a place kept; a program that can wait, and whoever goes before others, has none
   * kept for it.
   */
  send(session: Session): void {
    const { context, registry } = this.#options;
    const afterMs = jittered(context.limits.busyRetryMs);
    const isKept = registry.rankOf(session) === shedOrder.indexOf('live');
    session.shed({ afterMs, ticket: isKept ? this.returns.issue(context.now(), afterMs) : null });
    context.metrics.sentAway(session.lane);
  }

  /**
   * The session that goes first of those that go before this place in `shedOrder`; undefined while
   * as many as may go at once are on their way out, since they take memory until they have gone.
   */
  toGoBefore(rank: number): GivenUp | undefined {
    if (rank === 0) return undefined;
    const { context, registry } = this.#options;
    const { ending } = registry.countByState();
    if (ending > context.overload.sessionLimit * mostEndingShare) return undefined;
    const session = registry.firstToGo();
    if (!session || registry.rankOf(session) >= rank) return undefined;
    const account = session && registry.accountOf(session);
    return account && { account, giveUp: () => this.send(session) };
  }
}

const mostEndingShare = 0.1;

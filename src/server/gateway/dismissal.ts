import { jittered } from '../admission/admission.ts';
import { ReturnTickets } from '../admission/return-tickets.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
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

  /** A learner finds a place kept; a program that can wait has none kept for it. */
  send(session: Session): void {
    const { context } = this.#options;
    const afterMs = jittered(context.limits.busyRetryMs);
    session.shed({ afterMs, ticket: session.lane === 'live' ? this.returns.issue(context.now(), afterMs) : null });
    context.metrics.sentAway(session.lane);
  }

  /**
   * The newest session that can wait, for a learner who cannot; undefined while as many as may go
   * at once are on their way out, since they take memory until they have gone.
   */
  batchToGo(): GivenUp | undefined {
    const { context, registry } = this.#options;
    const { ending } = registry.countByState();
    if (ending > context.overload.sessionLimit * mostEndingShare) return undefined;
    const [session] = registry.newest('batch', 1);
    const account = session && registry.accountOf(session);
    return session && account && { account, giveUp: () => this.send(session) };
  }
}

const mostEndingShare = 0.1;

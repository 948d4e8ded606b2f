import { Room } from '../admission/room.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import type { ServerContext } from '../session/context.ts';
import type { Dismissal } from './dismissal.ts';
import type { Registry } from './registry.ts';

export type PlacesOptions = {
  context: Pick<ServerContext, 'limits' | 'log' | 'metrics' | 'now'>;
  /** Share of what others have left that a caller may have here. */
  placeShare: number;
  /** Sessions that there may be at once. */
  capacity(): number;
  /** The connections that have no session, the oldest first. */
  unstarted(): Iterable<GivenUp>;
  registry: Registry;
  dismissal: Dismissal;
};

/** The places of a server, and what of it may be given up for others. */
export function createRoom({ context, placeShare, capacity, unstarted, registry, dismissal }: PlacesOptions): Room {
  const { limits, log, metrics, now } = context;
  return new Room({
    limits,
    placeShare,
    capacity,
    kept: () => dismissal.returns.kept(now()),
    candidates: {
      connections: unstarted,
      sessions: () => registry.detached(),
      below: (rank) => dismissal.toGoBefore(rank),
      forOther: (asker, rank) => dismissal.toGoFor(asker, rank),
    },
    onGivenUp: (what) => {
      metrics.givenUp(what);
      log.warn({}, `a ${what} was given up for somebody who goes first`);
    },
  });
}

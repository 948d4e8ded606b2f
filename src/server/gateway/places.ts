import { Room } from '../admission/room.ts';
import type { GivenUp } from '../admission/shared-pool.ts';
import type { ServerContext } from '../session/context.ts';
import type { Dismissal } from './dismissal.ts';
import type { Registry } from './registry.ts';

export type PlacesOptions = {
  context: Pick<ServerContext, 'limits' | 'log' | 'metrics' | 'now'>;
  /** Sessions that there may be at once. */
  capacity(): number;
  /** The connections that have no session, the oldest first. */
  unstarted(): Iterable<GivenUp>;
  registry: Registry;
  dismissal: Dismissal;
};

/** The places of a server, and what of it may be given up for others. */
export function createRoom({ context, capacity, unstarted, registry, dismissal }: PlacesOptions): Room {
  const { limits, log, metrics, now } = context;
  return new Room({
    limits,
    capacity,
    kept: () => dismissal.returns.kept(now()),
    candidates: {
      connections: unstarted,
      sessions: () => registry.detached(),
      batch: () => dismissal.batchToGo(),
    },
    onGivenUp: (what) => {
      metrics.givenUp(what);
      log.warn({}, `a ${what} was given up for somebody who goes first`);
    },
  });
}

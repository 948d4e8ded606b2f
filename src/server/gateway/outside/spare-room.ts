import type { Limits } from '../../limits.ts';
import type { GatewayView } from './view.ts';

/**
 * Whether a gateway may do what nobody waits for: those who speak are served in time, nothing is
 * spared them, and there is a place that nobody has.
 */
export function hasSpareRoom(
  { notReady, sessions, sessionLimit, level, standingMs }: SpareView,
  { overloadDelayMs }: Pick<Limits, 'overloadDelayMs'>,
): boolean {
  const taken = Object.values(sessions).reduce((sum, count) => sum + count, 0);
  const isCalm = level === 0 && standingMs < overloadDelayMs / 2;
  return notReady === undefined && isCalm && taken < sessionLimit;
}

type SpareView = Pick<GatewayView, 'notReady' | 'sessions' | 'sessionLimit' | 'level' | 'standingMs'>;

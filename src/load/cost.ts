import { integer, section, text, throughUnit } from '../config/fields.ts';
import { parseDollarsPerMinute } from '../units.ts';
import type { Spent } from './measurements.ts';

/** What the servers under test cost: the price of one, $ an hour, and how many there are. */
export const cost = section({
  server: text('a price such as $1.20/h').transform(throughUnit((given) => parseDollarsPerMinute(given) * 60)),
  servers: integer(1, 100_000).prefault(1).describe('Behind the one address, if there are several.'),
});

export type Cost = { server: number; servers: number };

/** What they cost while it was measured: all of the time, busy or not. */
export function spentIn(given: Cost | undefined, measuredMs: number): Spent {
  return given && { dollars: (given.server * given.servers * Math.max(0, measuredMs)) / 3_600_000 };
}

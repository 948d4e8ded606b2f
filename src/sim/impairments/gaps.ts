import { type DrawKey, Draws } from '../../stats/draws.ts';
import type { Direction, GapMode, NetworkEvent } from '../profile/profile.ts';
import { Occurrences } from './occurrences.ts';
import { streamOf } from './purposes.ts';

/** When nothing passes, from startUs up to but not including endUs. */
type Gap = { startUs: number; endUs: number; mode: GapMode };

type GapEvent = Extract<NetworkEvent, { gapUs: number }>;

/**
 * The gaps of one direction: those of the profile's handovers and outages, and those that someone
 * cuts. Both directions make their own from the same key, so they agree though asked at different
 * times.
 */
export class Gaps {
  private readonly sources: { event: GapEvent; occurrences: Occurrences }[];
  private readonly open: Gap[] = [];

  constructor(events: readonly NetworkEvent[], direction: Direction, key: DrawKey) {
    this.sources = events.flatMap((event, index) => {
      if (event.kind === 'ip-change') return [];
      if (event.kind === 'outage' && event.direction !== undefined && event.direction !== direction) return [];
      const draws = new Draws(key, streamOf('both', event.kind) + 1024 * (index + 1));
      return [{ event, occurrences: new Occurrences(event.when, draws) }];
    });
  }

  /** Adds a gap from nowUs on. */
  cut(nowUs: number, forUs: number, mode: GapMode): void {
    this.open.push({ startUs: nowUs, endUs: nowUs + forUs, mode });
  }

  /**
   * The gap around atUs, which never decreases: the one that drops, before the one that ends last.
   */
  around(atUs: number): Gap | undefined {
    if (this.sources.length === 0 && this.open.length === 0) return undefined;
    for (const source of this.sources) {
      while (source.occurrences.nextUs <= atUs) {
        const startUs = source.occurrences.nextUs;
        this.open.push({ startUs, endUs: startUs + source.event.gapUs, mode: source.event.mode });
        source.occurrences.step();
      }
    }
    let found: Gap | undefined;
    for (let index = this.open.length - 1; index >= 0; index--) {
      const gap = this.open[index]!;
      if (gap.endUs <= atUs) this.open.splice(index, 1);
      else if (gap.startUs <= atUs && (found === undefined || weight(gap) > weight(found))) found = gap;
    }
    return found;
  }
}

function weight(gap: Gap): number {
  return gap.mode === 'drop' ? Number.MAX_VALUE : gap.endUs;
}

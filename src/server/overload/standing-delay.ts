/**
 * How long sound has been waiting in the server for a while now: a delay that stands, not a peak.
 * As CoDel does for packets (Nichols and Jacobson, "Controlling Queue Delay", 2012), it asks for
 * the least of the last interval: a queue that empties now and then is a burst that was coped with,
 * one that never does is load that nobody can carry. What is compared is the median of each tenth
 * of the interval, so that neither one lucky learner hides the queue nor one slow one makes it.
 */
export class StandingDelay {
  readonly #slotMs: number;
  readonly #slots: readonly Slot[];

  /** @param intervalMs how long a delay must stand, ms */
  constructor(intervalMs: number) {
    this.#slotMs = intervalMs / slotCount;
    // One more: the slot that is being filled says nothing yet.
    this.#slots = Array.from({ length: slotCount + 1 }, () => ({ at: -1, total: 0, counts: new Uint32Array(buckets) }));
  }

  /** A result went out, `delayMs` after its sound could have been read. */
  add(nowMs: number, delayMs: number): void {
    const slot = this.#slotAt(Math.floor(nowMs / this.#slotMs));
    slot.counts[bucketOf(delayMs)]! += 1;
    slot.total += 1;
  }

  /**
   * The least median of the interval that ends at `nowMs`, ms. 0 when most of it had no result:
   * what has not been seen to stand does not.
   *
   * @param share the quantile that is compared, where half of the results wait on purpose
   */
  standingMs(nowMs: number, share = 0.5): number {
    return this.#leastOf(nowMs, slotCount, share);
  }

  /** The same of the last three tenths of the interval: sooner known, and less sure. */
  recentMs(nowMs: number, share = 0.5): number {
    return this.#leastOf(nowMs, recentSlots, share);
  }

  #leastOf(nowMs: number, newest: number, share: number): number {
    const current = Math.floor(nowMs / this.#slotMs);
    let least = Number.POSITIVE_INFINITY;
    let seen = 0;
    for (const slot of this.#slots) {
      if (slot.at >= current || slot.at < current - newest || slot.total === 0) continue;
      seen += 1;
      least = Math.min(least, quantileOf(slot, share));
    }
    return seen > newest / 2 ? least : 0;
  }

  #slotAt(at: number): Slot {
    const slot = this.#slots[at % this.#slots.length]!;
    if (slot.at !== at) {
      slot.at = at;
      slot.total = 0;
      slot.counts.fill(0);
    }
    return slot;
  }
}

type Slot = { at: number; total: number; counts: Uint32Array };

const slotCount = 10;
const recentSlots = 3;

/** Buckets that widen by a tenth, from 1 ms to beyond ten minutes; the first holds all below. */
const growth = 1.1;
const buckets = 144;

function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms) / Math.log(growth)));
}

function quantileOf({ total, counts }: Slot, share: number): number {
  let below = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    below += counts[bucket]!;
    if (below >= total * share) return bucket === 0 ? 1 : growth ** (bucket - 0.5);
  }
  return 0;
}

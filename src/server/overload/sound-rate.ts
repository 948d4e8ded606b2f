/** How much sound is scored a second, in the last tenths of a second that are over. */
export class SoundRate {
  readonly #slots: readonly Slot[] = Array.from({ length: slotCount + 1 }, () => ({ at: -1, ms: 0 }));

  /** So much sound has been scored. */
  add(nowMs: number, ms: number): void {
    const at = Math.floor(nowMs / slotMs);
    const slot = this.#slots[at % this.#slots.length]!;
    if (slot.at !== at) {
      slot.at = at;
      slot.ms = 0;
    }
    slot.ms += ms;
  }

  /**
   * Seconds of sound a second: as many sessions as speak without a pause. A tenth without any is
   * one in which the whole server stood still, and says nothing of its speed; undefined when most
   * were.
   *
   * @param sinceMs what was scored before says nothing: the server was another one
   */
  of(nowMs: number, sinceMs = Number.NEGATIVE_INFINITY): number | undefined {
    const current = Math.floor(nowMs / slotMs);
    const first = Math.max(current - slotCount, Math.floor(sinceMs / slotMs) + 1);
    const seen = this.#slots.filter(({ at, ms }) => at < current && at >= first && ms > 0);
    if (seen.length < leastSlots || seen.length <= (current - first) / 2) return undefined;
    return seen.reduce((sum, { ms }) => sum + ms, 0) / (seen.length * slotMs);
  }
}

type Slot = { at: number; ms: number };

const slotMs = 100;
/** So many that a step of the model is within each, and few enough to see a loss of speed early. */
const slotCount = 8;
const leastSlots = 4;

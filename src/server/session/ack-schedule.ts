/** When to acknowledge: after frames, at most once an interval, or at once when asked. */
export type AckSchedule = {
  /** A frame came: an acknowledgement is owed. */
  frame(): void;
  /**
   * Whether to send one now; if so it counts as sent. `riding`: another event goes out anyway, so that one that is nearly due
   * goes with it.
   */
  due(nowMs: number, how: 'timely' | 'riding' | 'at once'): boolean;
};

export function createAckSchedule(intervalMs: number): AckSchedule {
  let owed = false;
  let sentMs = Number.NEGATIVE_INFINITY;
  return {
    frame() {
      owed = true;
    },
    due(nowMs, how) {
      const waitMs = how === 'riding' ? ridingShare * intervalMs : intervalMs;
      if (how !== 'at once' && (!owed || nowMs - sentMs < waitMs)) return false;
      owed = false;
      sentMs = nowMs;
      return true;
    },
  };
}

/** So early, as a share of the interval, may an acknowledgement ride with another event. */
const ridingShare = 0.75;

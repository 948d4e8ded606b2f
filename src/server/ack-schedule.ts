/** When to acknowledge: after frames, at most once an interval, or at once when asked. */
export type AckSchedule = {
  /** A frame came: an acknowledgement is owed. */
  frame(): void;
  /** Whether to send one now; if so it counts as sent. */
  due(nowMs: number, atOnce: boolean): boolean;
};

export function createAckSchedule(intervalMs: number): AckSchedule {
  let owed = false;
  let sentMs = Number.NEGATIVE_INFINITY;
  return {
    frame() {
      owed = true;
    },
    due(nowMs, atOnce) {
      if (!atOnce && (!owed || nowMs - sentMs < intervalMs)) return false;
      owed = false;
      sentMs = nowMs;
      return true;
    },
  };
}

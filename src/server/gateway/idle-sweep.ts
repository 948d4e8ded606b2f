/**
 * Gives memory back when the last of some sessions has ended. V8 collects when it needs room, not when there is time: a server
 * that has been busy would hold its garbage until it is busy again. A collection takes some 20 ms, which nobody waits for then.
 */
export type IdleSweep = {
  /** @param sessions how many there are now. */
  look(sessions: number, nowMs: number): void;
};

/** @param collect lets every thread collect. */
export function createIdleSweep(collect: () => void): IdleSweep {
  let untidy = false;
  let idleSinceMs: number | undefined;
  return {
    look(sessions, nowMs) {
      if (sessions > 0) {
        untidy = true;
        idleSinceMs = undefined;
        return;
      }
      idleSinceMs ??= nowMs;
      if (!untidy || nowMs - idleSinceMs < settleMs) return;
      untidy = false;
      collect();
    },
  };
}

const settleMs = 500;

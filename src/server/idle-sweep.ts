import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives memory back when the last of some sessions has ended. V8 collects when it needs room, not when there is time: a server
 * that has been busy would hold its garbage until it is busy again. A collection takes some 20 ms, which nobody waits for then.
 */
export type IdleSweep = {
  /** @param sessions how many there are now. */
  look(sessions: number, nowMs: number): void;
};

/** @param collect what collects; a test counts instead. */
export function createIdleSweep(collect: () => void = collectGarbage): IdleSweep {
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

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
}

/** Whether a generator itself kept up, from the plan's 0 to its end. */
export type GeneratorHealth = {
  /** Learners that it drove. */
  learners: number;
  /** Share of the time that its event loop was at work, 0-1. */
  busy: number;
  /**
   * CPU seconds a second of its process, the system's part among them; above 1 when several threads
   * work.
   */
  cpu: number;
  /**
   * Share of the time that its thread could have run and waited for a core; undefined where the
   * system does not say.
   */
  waited: number | undefined;
  /** How late its event loop ran timers, ms: as long waited what it had to read. */
  loopDelayP99Ms: number;
  /** Memory of its process at the end, bytes. */
  rssBytes: number;
  /** It ended before its work was done, with nothing measured: why. */
  lost?: string;
};

/** What stands for a generator that gave no result. */
export function lostGenerator(learners: number, why: string): GeneratorHealth {
  return { learners, busy: 0, cpu: 0, waited: undefined, loopDelayP99Ms: 0, rssBytes: 0, lost: why };
}

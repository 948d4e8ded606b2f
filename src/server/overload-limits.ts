/**
 * The limits of overload control: when a server that is late spares what, how many it lets in, and
 * whom it sends away. Part of `defaultLimits`.
 */
export const overloadLimits = {
  /**
   * How late feedback may stand for those inside before nobody else is let in and the first step of
   * degradation is taken, and for how long it must have stood.
   */
  overloadDelayMs: 100,
  overloadIntervalMs: 1000,
  /** How often the server decides. */
  decideEveryMs: 250,
  /**
   * From which delay on each step is taken, in `overloadDelayMs`: the one before must have been
   * given its chance.
   */
  largerGroupsAt: 1,
  halfRateAt: 1.5,
  finalsOnlyAt: 2,
  wordsOnlyAt: 3,
  sheddingAt: 4,
  /** Below which delay a step is taken back, likewise. */
  recoveredBelow: 0.5,
  /** How long a step lasts before the next one up, and down. A queue grows by the second. */
  stepUpMs: 1000,
  stepDownMs: 1000,
  /**
   * A step that is needed again within this time was taken back too soon: the next time it lasts
   * twice as long, up to so long.
   */
  stepTooSoonMs: 20_000,
  mostStepDownMs: 16_000,
  /**
   * More sessions than the server scores by this share of them, while its feedback is late by twice
   * `overloadDelayMs`: the delay runs away, and no step waits for the one before.
   */
  runawayShare: 0.1,
  /**
   * Within which time those who stay are to have caught up with what waits, and what share of the
   * server is kept free for that at most, when sessions are sent away.
   */
  catchUpMs: 2000,
  mostCatchUpShare: 0.3,
  /**
   * What share of the sessions is sent away at once at most, and how long that is to be felt before
   * others are.
   */
  shedShare: 0.5,
  shedEveryMs: 2000,
  /** Sessions at once, whatever the server feels; 0: it learns how many it carries. */
  fixedSessions: 0,
  /** Sessions that are let in before the machine is known; 0: `sessionsACore` of each core. */
  initialSessions: 0,
  /** What one core carries of the shipped model, the sockets' thread among it. */
  sessionsACore: 75,
  /** How few are let in however late the server is, and spared nothing. */
  leastSessions: 20,
  /** Share of its time that the busiest thread may work, to say how many fit once it gets late. */
  maxUtilisation: 0.95,
  /** From which share on a thread that is getting late says how many fit. */
  knownUtilisation: 0.5,
  /** Share of the places that must be taken before there are more of them. */
  fullShare: 0.9,
  /**
   * How the number of places grows at each decision until it was too much for the first time, as a
   * share of it, and after that, in sessions a second.
   */
  limitGrowth: 0.1,
  limitClimbPerSecond: 1,
  /**
   * How much of the machine must be idle for it to grow by a share: when most is taken, by whoever
   * it is, what comes next is felt a second too late.
   */
  limitGrowthIdle: 0.25,
  /**
   * With less than this idle it does not grow at all: what is left is for the half of a machine
   * that goes, the burst that comes, and the refusal of everybody else.
   */
  limitClimbIdle: 0.1,
  /** How long without a cut until it climbs at twice that rate; it goes on with the square. */
  limitHasteMs: 5000,
  /** What is left of it when it was too much, and how long a cut has to be felt before the next. */
  limitDecrease: 0.95,
  limitCutEveryMs: 2000,
  /** Share of the places that sessions of the batch lane may take. */
  batchShare: 0.8,
  /**
   * What share of the batch lane is sent away at once while others are spared something, and how
   * often.
   */
  batchShedShare: 0.25,
  batchShedEveryMs: 500,
  /** How long a place is kept for a session that was sent away, beyond the time it was told. */
  returnMs: 30_000,
  /**
   * How long what a client says is scored after it was sent away, if it does not say that it has
   * heard it, and how long after that it must be silent to be gone.
   */
  goAwayMs: 3000,
  /**
   * Upgrades a second, and at once, that a full server hears out since they may be resumes, though
   * they name no session.
   */
  unnamedPerSecond: 10,
  unnamedBurst: 20,
} as const satisfies Record<string, number>;

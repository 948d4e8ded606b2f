/**
 * What servers share of what tenants have: sessions at once, starts a second, sound of a day. Each
 * call is one atomic step at the store, whose clock decides; all reject with a `StoreError` when
 * the store does not answer in time, and then may or may not have been done.
 */
export type CapStore = {
  /** Whether the store answered when it was last asked. */
  readonly isUp: boolean;
  /**
   * Takes one session more of each party, the places for `ttlMs`, and counts the start; or says
   * which cap of which party is met. The caps of a party before are looked at first.
   */
  start(start: CapStart, ttlMs: number): Promise<CapAnswer>;
  /** How many sessions a holder has now, for `ttlMs`: the others' are left as they are. */
  hold(held: HeldSessions, ttlMs: number): Promise<void>;
  /** How much sound was heard of a day by this holder, and what comes of it with the others'. */
  hear(heard: ToldSound): Promise<SoundOfDay>;
  /** Calls `listener` each time that the store answers again. */
  onUp(listener: () => void): void;
};

/**
 * A session is asked for: by one of the tenant's users, named by a digest, and the tenant as a
 * whole (undefined). A cap that is absent lets everything in.
 */
export type CapStart = {
  tenant: string;
  /** The server that asks. */
  holder: string;
  parties: readonly {
    user: string | undefined;
    maxSessions: number | undefined;
    starts: { most: number; withinMs: number } | undefined;
    /** A day, from midnight UTC. */
    maxSoundMs: number | undefined;
  }[];
};

export type CapAnswer =
  | { kind: 'granted' }
  /** How many there are. */
  | { kind: 'sessions'; party: number; count: number }
  /** How long until there may be another start, or the day is over. */
  | { kind: 'starts' | 'sound'; party: number; waitMs: number };

export type HeldSessions = {
  tenant: string;
  holder: string;
  counts: readonly { user: string | undefined; sessions: number }[];
};

export type ToldSound = {
  tenant: string;
  sounds: readonly {
    user: string | undefined;
    /** A name for the one who heard it and for what of it is counted together. */
    field: string;
    /** The day of it, as `SoundOfDay` named it; 0: today. Of a day that is over nothing is kept. */
    day: number;
    /** All of that day, ms: telling it twice counts it once. */
    ms: number;
  }[];
};

export type SoundOfDay = {
  /** Days since 1970, UTC. */
  day: number;
  /** Until it is over. */
  leftMs: number;
  /** What all servers have heard today, ms, in the order of `sounds`. */
  totalsMs: readonly number[];
};

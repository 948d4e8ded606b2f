import type { CapStore } from '../../stores/cap-store.ts';
import type { SharedParty } from './shared-party.ts';

export type HeldPlacesOptions = {
  store: CapStore;
  /** This server, as the store knows it. */
  holder: string;
  /** How long places hold that nobody renews, ms. */
  ttlMs: number;
  /** A call to the store failed. */
  onTrouble(error: unknown): void;
};

/**
 * How many sessions this server has of each tenant and user, told to the store as whole numbers and
 * again before they run out: whatever a call that failed has left there is right after the next.
 */
export class HeldPlaces {
  readonly #options: HeldPlacesOptions;
  readonly #held = new Map<string, Held>();
  #isScheduled = false;
  #renewedMs = 0;

  constructor(options: HeldPlacesOptions) {
    this.#options = options;
    options.store.onUp(() => this.#renew());
  }

  /** How many are remembered. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * The store is asked for a place of each; the function takes what came of it. Until then the
   * place counts as taken.
   */
  ask(parties: readonly SharedParty[]): (outcome: 'granted' | 'refused' | 'unknown') => void {
    const asked = parties.map((party) => {
      const held = this.#of(party);
      held.asking += 1;
      return { held, told: held.told };
    });
    return (outcome) => {
      for (const { held, told } of asked) {
        held.asking -= 1;
        if (outcome === 'granted') held.count += 1;
        if (outcome === 'unknown') held.atStore = undefined;
        if (outcome !== 'granted' || held.party.caps.maxSessions === undefined) continue;
        // What was told meanwhile held this place already.
        if (held.told === told && held.atStore !== undefined) held.atStore += 1;
      }
      this.#schedule();
    };
  }

  /** Takes a place of each that the store is only told of. */
  take(parties: readonly SharedParty[]): void {
    for (const party of parties) this.#of(party).count += 1;
    this.#schedule();
  }

  /** Gives back what was taken or granted. */
  release(parties: readonly SharedParty[]): void {
    for (const party of parties) this.#of(party).count -= 1;
    this.#schedule();
  }

  /** To be called about once a second. */
  look(nowMs: number): void {
    if (nowMs - this.#renewedMs < this.#options.ttlMs * renewedAfter) return;
    this.#renewedMs = nowMs;
    this.#renew();
  }

  #renew(): void {
    for (const held of this.#held.values()) held.atStore = undefined;
    this.#schedule();
  }

  #of(party: SharedParty): Held {
    const held = this.#held.get(party.key) ?? { party, count: 0, asking: 0, atStore: 0, told: 0 };
    // Its caps may have changed since.
    held.party = party;
    this.#held.set(party.key, held);
    return held;
  }

  /** Not now: many places may be taken and given back at once. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#tell();
    });
  }

  #tell(): void {
    const byTenant = new Map<string, Held[]>();
    for (const [key, held] of this.#held) {
      const { tenant, user, caps } = held.party;
      // Users may be many, and nobody asks of one without a cap.
      const isTold = held.atStore === held.count || (user !== undefined && caps.maxSessions === undefined);
      if (isTold && held.count === 0 && held.asking === 0) this.#held.delete(key);
      if (isTold || !this.#options.store.isUp) continue;
      byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), held]);
    }
    for (const [tenant, all] of byTenant) {
      for (let at = 0; at < all.length; at += mostAtOnce) void this.#hold(tenant, all.slice(at, at + mostAtOnce));
    }
  }

  async #hold(tenant: string, all: readonly Held[]): Promise<void> {
    const { store, holder, ttlMs, onTrouble } = this.#options;
    const told = all.map((held) => {
      held.told += 1;
      held.atStore = held.count + held.asking;
      return { held, number: held.told };
    });
    const counts = all.map(({ party, atStore = 0 }) => ({ user: party.user, sessions: atStore }));
    try {
      await store.hold({ tenant, holder, counts }, ttlMs);
      // Those that are over can be forgotten, and what was refused meanwhile is to be told.
      this.#schedule();
    } catch (error) {
      for (const { held, number } of told) if (held.told === number) held.atStore = undefined;
      onTrouble(error);
    }
  }
}

type Held = {
  party: SharedParty;
  /** Sessions that are here, and those for which a place is asked. */
  count: number;
  asking: number;
  /** What the store was told last, or has granted since; undefined: that is not known. */
  atStore: number | undefined;
  /** How often it was told. */
  told: number;
};

/** Share of their time to hold after which places are told again. */
const renewedAfter = 1 / 3;
/** Parties in one call: a script keeps Redis from everything else. */
const mostAtOnce = 200;

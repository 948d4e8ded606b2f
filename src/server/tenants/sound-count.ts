import type { CapStore } from '../../stores/cap-store.ts';
import type { SharedParty } from './shared-party.ts';

export type SoundCountOptions = {
  store: CapStore;
  /** This server, as the store knows it. */
  holder: string;
  /** A call to the store failed. */
  onTrouble(error: unknown): void;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * The sound that this server has heard today of each tenant and user, told to the store as a whole:
 * telling it twice counts it once, and what could not be told is told later.
 */
export class SoundCount {
  readonly #options: SoundCountOptions;
  /** They stand in the order in which they were heard last. */
  readonly #sounds = new Map<string, Sound>();
  #fields = 0;

  constructor(options: SoundCountOptions) {
    this.#options = options;
    // A store that was away may have lost what it was told.
    options.store.onUp(() => {
      for (const sound of this.#sounds.values()) sound.isLost = true;
    });
  }

  heard(party: SharedParty, ms: number): void {
    const sound = this.#sounds.get(party.key) ?? this.#newSound(party);
    this.#sounds.delete(party.key);
    this.#sounds.set(party.key, sound);
    sound.ms += Math.round(ms);
    if (this.#sounds.size > mostRemembered) this.#forget();
  }

  /** What all servers have heard today as far as this one knows, and how long today is yet, ms. */
  today({ key }: Pick<SharedParty, 'key'>): { ms: number; leftMs: number } {
    const sound = this.#sounds.get(key);
    if (!sound) return { ms: 0, leftMs: 0 };
    this.#turn(sound);
    return { ms: sound.othersMs + sound.ms, leftMs: sound.endsMs - this.#options.now() };
  }

  /** What all servers have heard today of a tenant, ms, by the store; undefined: it is away. */
  async allToday(tenant: string): Promise<number | undefined> {
    const { store, holder, onTrouble } = this.#options;
    if (!store.isUp) return undefined;
    // What is told of a day that is over is not kept, and answered with what was heard today.
    const sounds = [{ user: undefined, field: holder, day: dayLongOver, ms: 0 }];
    try {
      const { totalsMs } = await store.hear({ tenant, sounds });
      return (totalsMs[0] ?? 0) + this.#untoldMs(tenant);
    } catch (error) {
      onTrouble(error);
      return undefined;
    }
  }

  /** Tells the store what is new; to be called about once a second. */
  tell(): void {
    if (!this.#options.store.isUp) return;
    const byTenant = new Map<string, Sound[]>();
    for (const sound of this.#sounds.values()) {
      this.#turn(sound);
      if (sound.isTelling || (sound.ms === sound.toldMs && !sound.isLost)) continue;
      const { tenant } = sound.party;
      byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), sound]);
    }
    for (const [tenant, all] of byTenant) {
      for (let at = 0; at < all.length; at += mostAtOnce) void this.#tellSome(tenant, all.slice(at, at + mostAtOnce));
    }
  }

  async #tellSome(tenant: string, all: readonly Sound[]): Promise<void> {
    const { store, onTrouble, now } = this.#options;
    const sounds = all.map(({ party, field, day, ms }) => ({ user: party.user, field, day, ms }));
    for (const sound of all) {
      sound.isTelling = true;
      sound.isLost = false;
    }
    try {
      const { day, leftMs, totalsMs } = await store.hear({ tenant, sounds });
      for (const [at, sound] of all.entries()) {
        const { day: was, ms: toldMs } = sounds[at]!;
        const isKept = was === 0 || was === day;
        sound.day = day;
        sound.endsMs = now() + leftMs;
        sound.othersMs = Math.max(0, (totalsMs[at] ?? 0) - (isKept ? toldMs : 0));
        // It was told too late for its day, and counts for none.
        if (!isKept) sound.ms -= toldMs;
        sound.toldMs = isKept ? toldMs : 0;
      }
    } catch (error) {
      for (const sound of all) sound.isLost = true;
      onTrouble(error);
    } finally {
      for (const sound of all) sound.isTelling = false;
    }
  }

  /** What was heard here today and is still to be told. */
  #untoldMs(key: string): number {
    const sound = this.#sounds.get(key);
    if (!sound || sound.isTelling) return 0;
    this.#turn(sound);
    return sound.ms - sound.toldMs;
  }

  /** A new day begins: what was told is of the one before. */
  #turn(sound: Sound): void {
    if (this.#options.now() < sound.endsMs || sound.isTelling) return;
    sound.ms -= sound.toldMs;
    sound.toldMs = 0;
    sound.othersMs = 0;
    sound.day = 0;
    sound.endsMs = Number.POSITIVE_INFINITY;
  }

  #newSound(party: SharedParty): Sound {
    // Who was forgotten and is heard again is counted in another field: the former keeps its sum.
    const field = `${this.#options.holder}.${this.#fields++}`;
    const unknown = { toldMs: 0, othersMs: 0, day: 0, endsMs: Number.POSITIVE_INFINITY };
    return { party, field, ms: 0, ...unknown, isLost: false, isTelling: false };
  }

  /** Forgets what was heard longest ago, if the store has it or there is far too much. */
  #forget(): void {
    const [oldest] = this.#sounds.values();
    if (!oldest) return;
    const isKept = oldest.ms === oldest.toldMs && !oldest.isLost && !oldest.isTelling;
    if (isKept || this.#sounds.size > 2 * mostRemembered) this.#sounds.delete(oldest.party.key);
  }
}

type Sound = {
  party: SharedParty;
  field: string;
  /** What was heard here of `day`, and what of it the store was told. */
  ms: number;
  toldMs: number;
  /** Whether the store may not know any more what it was told. */
  isLost: boolean;
  /** What others had heard when the store was told last. */
  othersMs: number;
  /** As the store counts days; 0: the one that is when it is told. */
  day: number;
  /** When the day is over, by our clock. */
  endsMs: number;
  isTelling: boolean;
};

/** Tenants and users; of more, those that were heard longest ago are counted anew. */
const mostRemembered = 100_000;
const mostAtOnce = 200;
/** As the store counts days, from 1970. */
const dayLongOver = 1;

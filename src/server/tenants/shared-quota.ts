import type { CapAnswer, CapStore } from '../../stores/cap-store.ts';
import { StoreError, type StoreTrouble } from '../../stores/session-store.ts';
import { type Log, stackOf } from '../../telemetry/log.ts';
import type { Membership } from '../admission/membership.ts';
import type { Refusal } from '../refusal.ts';
import { createSecret } from '../secrets.ts';
import { HeldPlaces } from './held-places.ts';
import { KnownUsers } from './known-users.ts';
import {
  type GrantedStart,
  isUsedUp,
  minuteMs,
  type Quota,
  sessionsCapped,
  soundUsedUp,
  startsCapped,
  startWindowOf,
} from './quota.ts';
import { type SharedParty, sharedPartiesOf } from './shared-party.ts';
import { SoundCount } from './sound-count.ts';

export type SharedQuotaOptions = {
  store: CapStore;
  /** What counts while the store does not answer. */
  insurance: Quota;
  log: Log;
  /** When one comes back that found its cap met, ms. */
  busyRetryMs: number;
  /** A call to the store failed. */
  onTrouble(why: StoreTrouble): void;
  /** Monotonic, ms. */
  now(): number;
  /** How long the places of a server that says nothing more stay taken, ms. */
  ttlMs?: number;
};

/**
 * Counts what tenants have at all servers of a store. While that does not answer, each server
 * counts by itself: a start waits for it no longer than the store is given to answer, and those
 * after it not at all.
 */
export class SharedQuota implements Quota {
  readonly #options: SharedQuotaOptions;
  readonly #holder = createSecret(9);
  readonly #ttlMs: number;
  readonly #places: HeldPlaces;
  readonly #sound: SoundCount;
  readonly #users = new KnownUsers();
  /** What the store refused a moment ago, so that a flood of upgrades need not ask it. */
  readonly #refused = new Map<string, { refusal: Refusal; untilMs: number }>();

  constructor(options: SharedQuotaOptions) {
    const { store, now, ttlMs = usualTtlMs } = options;
    const onTrouble = (error: unknown): void => this.#failed(error);
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#places = new HeldPlaces({ store, holder: this.#holder, ttlMs, onTrouble });
    this.#sound = new SoundCount({ store, holder: this.#holder, onTrouble, now });
  }

  spent(member: Membership): Refusal | undefined {
    const nowMs = this.#options.now();
    for (const party of sharedPartiesOf(member)) {
      const before = this.#refused.get(party.key);
      if (before && before.untilMs > nowMs) return before.refusal;
      const refusal = this.#usedUp(party);
      if (refusal) return refusal;
    }
    return undefined;
  }

  async start(member: Membership): Promise<Refusal | GrantedStart> {
    const parties = sharedPartiesOf(member);
    if (!parties.some(({ caps }) => isBounded(caps))) return this.#taken(parties);
    if (!this.#options.store.isUp) return await this.#insured(member, parties);
    const settle = this.#places.ask(parties);
    try {
      const answer = await this.#ask(parties);
      settle(answer.kind === 'granted' ? 'granted' : 'refused');
      return answer.kind === 'granted' ? this.#granted(parties) : this.#refusal(answer, parties);
    } catch (error) {
      settle('unknown');
      this.#failed(error);
      return await this.#insured(member, parties);
    }
  }

  returned(member: Membership): GrantedStart {
    return this.#taken(sharedPartiesOf(member));
  }

  heard(member: Membership, ms: number): void {
    this.#options.insurance.heard(member, ms);
    for (const party of sharedPartiesOf(member)) {
      // Users may be many, and nobody asks of one without a cap.
      if (party.user !== undefined && party.caps.audioMinutesPerDay === undefined) continue;
      if (party.user !== undefined) this.#users.heard(member);
      this.#sound.heard(party, ms);
    }
  }

  /** While the store is away: what it last said, and what this server has heard since. */
  async heardTodayMs(tenant: string, user?: string): Promise<number> {
    const key = user === undefined ? tenant : this.#users.keyOf(user);
    if (key === undefined) return 0;
    if (user !== undefined) return this.#sound.today({ key }).ms;
    return (await this.#sound.allToday(tenant)) ?? this.#sound.today({ key: tenant }).ms;
  }

  look(): void {
    const nowMs = this.#options.now();
    this.#places.look(nowMs);
    this.#sound.tell();
    for (const [key, { untilMs }] of this.#refused) if (untilMs <= nowMs) this.#refused.delete(key);
  }

  #ask(parties: readonly SharedParty[]): Promise<CapAnswer> {
    const asked = parties.map(({ user, caps }) => ({
      user,
      maxSessions: caps.maxSessions,
      starts: startWindowOf(caps),
      maxSoundMs: caps.audioMinutesPerDay && caps.audioMinutesPerDay * minuteMs,
    }));
    const { tenant } = parties[0]!;
    return this.#options.store.start({ tenant, holder: this.#holder, parties: asked }, this.#ttlMs);
  }

  /** While the store is away: what it last said of the day, and what this server counts itself. */
  async #insured(member: Membership, parties: readonly SharedParty[]): Promise<Refusal | GrantedStart> {
    for (const party of parties) {
      const refusal = this.#usedUp(party);
      if (refusal) return refusal;
    }
    const own = await this.#options.insurance.start(member);
    return 'code' in own ? own : this.#taken(parties);
  }

  #usedUp(party: SharedParty): Refusal | undefined {
    const { ms, leftMs } = this.#sound.today(party);
    return isUsedUp(party.caps, ms) ? soundUsedUp(party, leftMs) : undefined;
  }

  #taken(parties: readonly SharedParty[]): GrantedStart {
    this.#places.take(parties);
    return this.#granted(parties);
  }

  #granted(parties: readonly SharedParty[]): GrantedStart {
    let isReleased = false;
    return {
      release: () => {
        if (!isReleased) this.#places.release(parties);
        isReleased = true;
      },
    };
  }

  #refusal(answer: Exclude<CapAnswer, { kind: 'granted' }>, parties: readonly SharedParty[]): Refusal {
    const party = parties[answer.party]!;
    if (answer.kind === 'starts') return startsCapped(party, answer.waitMs);
    const { busyRetryMs, now } = this.#options;
    const refusal =
      answer.kind === 'sessions' ? sessionsCapped(party, answer.count, busyRetryMs) : soundUsedUp(party, answer.waitMs);
    this.#refused.set(party.key, { refusal, untilMs: now() + rememberedMs });
    return refusal;
  }

  #failed(error: unknown): void {
    if (error instanceof StoreError) this.#options.onTrouble(error.why);
    // A fault of ours keeps no learner out.
    else this.#options.log.error({ error: stackOf(error) }, 'the caps of a tenant could not be counted');
  }
}

function isBounded({ maxSessions, startsPerSecond, audioMinutesPerDay }: SharedParty['caps']): boolean {
  return maxSessions !== undefined || startsPerSecond !== undefined || audioMinutesPerDay !== undefined;
}

const usualTtlMs = 30_000;
const rememberedMs = 500;

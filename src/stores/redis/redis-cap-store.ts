import type { CapAnswer, CapStart, CapStore, HeldSessions, SoundOfDay, ToldSound } from '../cap-store.ts';
import type { RedisLink } from './redis-link.ts';
import { keysOf } from './scripts.ts';

/** What tenants have, in a Redis that all gateways of a region share. */
export class RedisCapStore implements CapStore {
  readonly #link: RedisLink;
  readonly #keys: ReturnType<typeof keysOf>;

  constructor(link: RedisLink, region?: string) {
    this.#link = link;
    this.#keys = keysOf(region);
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  async start({ tenant, holder, parties }: CapStart, ttlMs: number): Promise<CapAnswer> {
    const { sessions, starts, sound } = this.#keys;
    const names = parties.flatMap(({ user }) => [sessions(tenant, user), starts(tenant, user), sound(tenant, user)]);
    const caps = parties.flatMap(
      ({ maxSessions = noCap, starts: { most, withinMs } = unbounded, maxSoundMs = noCap }) => [
        maxSessions,
        most,
        withinMs,
        maxSoundMs,
      ],
    );
    const [kind, party, much] = await this.#link.run('start', names, [ttlMs, holder, ...caps]);
    switch (kind) {
      case 'sessions':
        return { kind, party: Number(party), count: Number(much) };
      case 'starts':
      case 'sound':
        return { kind, party: Number(party), waitMs: Number(much) };
      default:
        return { kind: 'granted' };
    }
  }

  async hold({ tenant, holder, counts }: HeldSessions, ttlMs: number): Promise<void> {
    const names = counts.map(({ user }) => this.#keys.sessions(tenant, user));
    await this.#link.run('hold', names, [ttlMs, holder, ...counts.map(({ sessions }) => sessions)]);
  }

  async hear({ tenant, sounds }: ToldSound): Promise<SoundOfDay> {
    const names = sounds.map(({ user }) => this.#keys.sound(tenant, user));
    const values = sounds.flatMap(({ field, day, ms }) => [field, day, ms]);
    const [, day, leftMs, totals] = await this.#link.run('hear', names, values);
    return { day: Number(day), leftMs: Number(leftMs), totalsMs: totals as unknown as number[] };
  }

  onUp(listener: () => void): void {
    this.#link.onUp(listener);
  }
}

/** What the scripts take for "as many as come". */
const noCap = -1;
const unbounded = { most: noCap, withinMs: 0 };

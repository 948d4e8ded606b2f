import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeldPlaces } from '../../../src/server/tenants/held-places.ts';
import type { SharedParty } from '../../../src/server/tenants/shared-party.ts';
import { SoundCount } from '../../../src/server/tenants/sound-count.ts';
import type { CapStore, HeldSessions, ToldSound } from '../../../src/stores/cap-store.ts';

const tenant: SharedParty = { who: 'this tenant', key: 'a', caps: { maxSessions: 5 }, tenant: 'a', user: undefined };
const user: SharedParty = { ...tenant, who: 'this user', key: 'a/u', user: 'u' };
const dayMs = 86_400_000;

/** What may happen to a server and its store. */
const event = fc.constantFrom(
  'granted',
  'refused',
  'lost',
  'taken',
  'returned',
  'released',
  'down',
  'empty',
  'up',
  'turn',
);

it('are at the store as many as there are, whatever got lost on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      const store = new ScriptedStore();
      const places = new HeldPlaces({ store, holder: 'h', ttlMs: 30_000, onTrouble() {} });
      let count = 0;
      for (const what of events) {
        if (what === 'granted' || what === 'refused' || what === 'lost') {
          const settle = places.ask([user, tenant]);
          // The store does it in the order of the calls, and its answer comes later.
          if (what === 'granted' || (what === 'lost' && store.isUp)) store.add(['a', 'u']);
          await turn();
          settle(what === 'lost' ? 'unknown' : what);
          if (what === 'granted') count += 1;
        } else if (what === 'taken') {
          places.take([user, tenant]);
          count += 1;
        } else if (what === 'released' && count > 0) {
          places.release([user, tenant]);
          count -= 1;
        } else if (what === 'turn') await turn();
        else store.happens(what);
      }
      store.happens('up');
      for (let more = 0; more < 5; more += 1) await turn();
      expect([store.counts.get('a') ?? 0, store.counts.get('u') ?? 0]).toEqual([count, count]);
      expect(places.size).toBe(count === 0 ? 0 : 2);
    }),
    { numRuns: 300 },
  );
});

it('are told again before they run out, and no sooner', async () => {
  const store = new ScriptedStore();
  const places = new HeldPlaces({ store, holder: 'h', ttlMs: 30_000, onTrouble() {} });
  places.take([tenant]);
  await turn();
  const told = store.calls;
  for (const nowMs of [1000, 5000, 9999]) places.look(nowMs);
  await turn();
  expect(store.calls).toBe(told);
  places.look(10_001);
  await turn();
  expect(store.calls).toBe(told + 1);
});

it('sound is counted once and in the day in which the store hears of it, whatever got lost', async () => {
  const one = fc.oneof(
    fc.integer({ min: 1, max: 5000 }).map((ms) => ({ ms })),
    fc.constantFrom('down' as const, 'up' as const, 'lost' as const, 'tell' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 40 }), async (events) => {
      const store = new ScriptedStore();
      let nowMs = 0;
      const sound = new SoundCount({ store, holder: 'h', onTrouble() {}, now: () => nowMs });
      let heardMs = 0;
      for (const what of events) {
        if (typeof what === 'object') {
          sound.heard(tenant, what.ms);
          heardMs += what.ms;
        } else if (what === 'tell') await told(sound);
        else if (what === 'lost') store.losesAnswer = true;
        else store.happens(what);
      }
      store.happens('up');
      await told(sound);
      await told(sound);
      expect(store.soundMs).toBe(heardMs);
      expect(sound.today(tenant).ms).toBe(heardMs);
      // The next day is another, by whichever clock it comes first.
      store.day += 1;
      nowMs += dayMs;
      expect(sound.today(tenant).ms).toBe(0);
      sound.heard(tenant, 7);
      await told(sound);
      await told(sound);
      expect([store.soundMs, sound.today(tenant).ms]).toEqual([7, 7]);
    }),
    { numRuns: 300 },
  );
});

/** A store that does what it is told in the order of the calls, and may lose that or its answers. */
class ScriptedStore implements CapStore {
  isUp = true;
  readonly counts = new Map<string, number>();
  calls = 0;
  day = 1;
  losesAnswer = false;
  #sounds = new Map<string, { day: number; ms: number }>();
  readonly #listeners: (() => void)[] = [];

  get soundMs(): number {
    return [...this.#sounds.values()].reduce((sum, { day, ms }) => sum + (day === this.day ? ms : 0), 0);
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  happens(what: string): void {
    if (what === 'down') this.isUp = false;
    if (what === 'empty') {
      this.isUp = false;
      this.counts.clear();
      this.#sounds.clear();
    }
    if (what !== 'up' || this.isUp) return;
    this.isUp = true;
    for (const listener of this.#listeners) listener();
  }

  async start(): Promise<never> {
    throw new Error('nobody asks here');
  }

  async hold({ counts }: HeldSessions): Promise<void> {
    this.calls += 1;
    for (const { user: name, sessions } of counts) this.counts.set(name ?? 'a', sessions);
    await this.#answer();
  }

  async hear({ sounds }: ToldSound) {
    const totalsMs = sounds.map(({ field, day, ms }) => {
      if (day === 0 || day === this.day) this.#sounds.set(field, { day: this.day, ms });
      return this.soundMs;
    });
    await this.#answer();
    return { day: this.day, leftMs: dayMs / 2, totalsMs };
  }

  onUp(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async #answer(): Promise<void> {
    const isLost = this.losesAnswer;
    this.losesAnswer = false;
    await Promise.resolve();
    if (isLost) throw new Error('the answer was lost');
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

async function told(sound: SoundCount): Promise<void> {
  sound.tell();
  await turn();
}

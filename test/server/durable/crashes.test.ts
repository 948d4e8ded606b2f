import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import { MemorySessionStore } from '../../../src/stores/memory-store.ts';
import { type SessionStore, StoreError } from '../../../src/stores/session-store.ts';
import { Learner, text, told } from '../../kit/server/learner.ts';
import { serve } from '../../kit/server/serve.ts';

// A learner, two gateways and their store, of which each may fail at any moment: whatever the order, each text has one
// final, each phone is told once, and a session belongs to one gateway at a time.

/** What a learner reads after the first text; each has other words, so that a final of the wrong one is seen. */
const texts = [text, 'baba abab', 'ab ababab', 'bababa ba', 'abab ab ab'];

/** What should have come of it. */
type Model = { texts: number; frames: number; away: Set<number> };

/** One store as a gateway reaches it, or does not. */
type Reach = { isUp: boolean; onUp: (() => void)[] };

class Service {
  #learner: Learner | undefined;
  readonly #kept = new MemorySessionStore(() => performance.now());
  readonly #generations = new Map<string, number>();
  readonly #reach: Reach[] = [
    { isUp: true, onUp: [] },
    { isUp: true, onUp: [] },
  ];
  readonly #servers: RunningServer[] = [];
  /** What the store was asked to do that it must never be. */
  readonly wrong: string[] = [];

  /** Both gateways, and a learner who has been let in. */
  static async started(): Promise<Service> {
    const service = new Service();
    await service.start(0);
    await service.start(1);
    service.#learner = new Learner(() => service.#servers.map(({ url }) => url));
    await service.learner.until('ready', 1);
    return service;
  }

  get learner(): Learner {
    return this.#learner!;
  }

  async start(gateway: number): Promise<void> {
    this.#servers[gateway] = await serve({ store: this.#reached(this.#reach[gateway]!) });
  }

  /** Another process takes its place: what it had in memory is gone. */
  async crash(gateway: number): Promise<void> {
    const gone = this.#servers[gateway]!;
    await this.start(gateway);
    await gone.close();
  }

  async drain(gateway: number): Promise<void> {
    const leaving = this.#servers[gateway]!;
    await this.start(gateway);
    await leaving.drain();
    await leaving.close();
  }

  setStore(gateway: number, isUp: boolean): void {
    const reach = this.#reach[gateway]!;
    reach.isUp = isUp;
    if (isUp) for (const listener of reach.onUp) listener();
  }

  async stop(): Promise<void> {
    this.learner.client.abort('the run is over');
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #reached(reach: Reach): SessionStore {
    const kept = this.#kept;
    const ask = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
      if (!reach.isUp) throw new StoreError('unreachable', 'it is away');
      return await call();
    };
    return {
      get isUp() {
        return reach.isUp;
      },
      save: (saved, ttlMs) =>
        ask(async () => {
          const outcome = await kept.save(saved, ttlMs);
          if (outcome === 'saved') this.#owned(saved.sessionId, saved.generation);
          return outcome;
        }),
      claim: (claim, ttlMs) =>
        ask(async () => {
          const outcome = await kept.claim(claim, ttlMs);
          if (outcome.kind === 'claimed') this.#owned(claim.sessionId, outcome.generation, 'anew');
          return outcome;
        }),
      end: (sessionId, generation) => ask(() => kept.end(sessionId, generation)),
      begin: (key, session, ttlMs) => ask(() => kept.begin(key, session, ttlMs)),
      announce: (gateway, ttlMs) => ask(() => kept.announce(gateway, ttlMs)),
      onUp: (listener) => reach.onUp.push(listener),
      close: async () => {},
    };
  }

  #owned(sessionId: string, generation: number, anew?: 'anew'): void {
    const before = this.#generations.get(sessionId) ?? 0;
    if (generation < before || (anew && generation === before))
      this.wrong.push(`generation ${generation} came after ${before}`);
    this.#generations.set(sessionId, generation);
  }
}

type Step = fc.AsyncCommand<Model, Service>;

function step(
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, service: Service) => Promise<void>,
): Step {
  return { check, run, toString: () => name };
}

const anytime = (): boolean => true;
/** What dies while the store is away may take with it what was never saved. */
const whileStoreIsThere = ({ away }: Model): boolean => away.size === 0;
const gateway = fc.constantFrom(0, 1);
const steps: fc.Arbitrary<Step>[] = [
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()).map(([count, waits]) =>
    step(`say ${count}${waits ? ' and wait' : ''}`, anytime, async (model, { learner }) => {
      learner.say(model.frames, model.frames + count - 1);
      model.frames += count;
      if (waits) await expect.poll(() => learner.client.unacked).toBe(0);
    }),
  ),
  fc.constant(
    step(
      'next text',
      ({ texts: begun }) => begun < texts.length,
      async (model, { learner }) => {
        learner.client.nextUtterance({ text: texts[model.texts]! });
        model.texts += 1;
      },
    ),
  ),
  fc.constant(step('cut the network', anytime, async (_, { learner }) => learner.client.cut())),
  gateway.map((at) => step(`crash ${at}`, whileStoreIsThere, async (_, service) => await service.crash(at))),
  gateway.map((at) => step(`drain ${at}`, whileStoreIsThere, async (_, service) => await service.drain(at))),
  gateway.map((at) =>
    step(
      `store away from ${at}`,
      ({ away }) => !away.has(at),
      async ({ away }, service) => {
        away.add(at);
        service.setStore(at, false);
      },
    ),
  ),
  gateway.map((at) =>
    step(
      `store back at ${at}`,
      ({ away }) => away.has(at),
      async ({ away }, service) => {
        away.delete(at);
        service.setStore(at, true);
      },
    ),
  ),
];

it('whatever crashes, drains, is cut or away: each text has one final, each phone comes once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 12 }), async (commands) => {
      const service = await Service.started();
      const model: Model = { texts: 1, frames: 0, away: new Set() };
      try {
        await fc.asyncModelRun(() => ({ model, real: service }), commands);
        for (const at of model.away) service.setStore(at, true);
        await service.learner.speak(model.frames, model.frames + 4);
        expect(await service.learner.finish()).toMatchObject({ outcome: 'closed' });
        const { broken, events } = service.learner;
        expect([...broken, ...service.wrong]).toEqual([]);
        const finals = (told(events) as { finals: { utterance_id: number; words: { text: string }[] }[] }).finals;
        expect(finals.map(({ utterance_id }) => utterance_id)).toEqual(
          Array.from({ length: model.texts }, (_, i) => i + 1),
        );
        expect(finals.map(({ words }) => words.map((word) => word.text).join(' '))).toEqual(
          texts.slice(0, model.texts),
        );
      } finally {
        await service.stop();
      }
    }),
    { seed: 20261130, numRuns: 15, endOnFailure: true },
  );
}, 180_000);

it('a gateway that lost sight of the store does not go on with what has been elsewhere since', async () => {
  const service = await Service.started();
  const { learner } = service;
  try {
    await learner.speak(0, 29);
    learner.client.cut();
    await learner.speak(30, 59);
    service.setStore(0, false);
    learner.client.cut();
    // The first does not know better and sends it away for a moment; the second has it.
    await learner.speak(60, 99);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed' });
    expect([...learner.broken, ...service.wrong]).toEqual([]);
    expect(learner.of('utterance_final')).toHaveLength(1);
  } finally {
    await service.stop();
  }
});

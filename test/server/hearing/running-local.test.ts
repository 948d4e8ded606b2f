import { describe, expect, it } from 'vitest';
import type { EngineStats } from '../../../src/acoustic/engine/types.ts';
import { RunningLocal } from '../../../src/commands/serve/routing/running-local.ts';
import type { Hindrance } from '../../../src/routing/decide/decide.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';

const nothing = (): void => {};
const log = { info: nothing, warn: nothing, error: nothing };
const [atEase, tooSlow] = [
  { busy: 0.3, stepP95Ms: 10 },
  { busy: 0.99, stepP95Ms: 3 * defaultLimits.busyStepP95Ms },
];

type Doing = Partial<EngineStats> & { waitP95Ms?: number };
const scoringOf = (waitP95Ms = 0) => ({ waitP95Ms, busy: 0.99, silentMs: 0 });

/** A version beside the server's own model, as both do; `waitP95Ms`: how long frames wait for their scores. */
async function beside({ version, own }: { version: Doing; own: Doing | undefined }) {
  const engine = scriptedEngine(version);
  const running = new RunningLocal({
    ...{ folder: 'v2', model: engine.model, limits: defaultLimits, log, onOver: nothing },
    own: () => own && { engine: scriptedEngine(own).stats(), scoring: scoringOf(own.waitP95Ms) },
    run: {
      scoring: { ...scriptedScoring, stats: () => scoringOf(version.waitP95Ms) },
      load: async () => engine,
      died: new Promise<never>(nothing),
      close: async () => {},
    },
  });
  expect(running.hindrance()).toBe('broken');
  await running.load();
  return running;
}

describe('a version beside the own model', () => {
  it.each<[what: string, of: Parameters<typeof beside>[0], why: Hindrance | undefined]>([
    ['takes sessions while both are at their ease', { version: atEase, own: atEase }, undefined],
    ['takes none while its steps are too slow, by its own fault', { version: tooSlow, own: atEase }, 'broken'],
    ['is full where the machine is too slow for both', { version: tooSlow, own: tooSlow }, 'full'],
    ['is full where nothing is known of the own one, which is silent', { version: tooSlow, own: { busy: 0 } }, 'full'],
    ['is full where the own one warms up', { version: tooSlow, own: undefined }, 'full'],
    ['takes sessions however slow the own one is', { version: atEase, own: tooSlow }, undefined],
    ['takes sessions after one slow step', { version: { ...tooSlow, busy: 0.01 }, own: atEase }, undefined],
    [
      'takes none while its frames wait for their scores',
      { version: { ...atEase, waitP95Ms: 300 }, own: atEase },
      'broken',
    ],
    [
      'is full while those of both wait',
      { version: { ...atEase, waitP95Ms: 300 }, own: { ...atEase, waitP95Ms: 290 } },
      'full',
    ],
    ['is broken when it stands still', { version: { ...atEase, silentMs: 60_000 }, own: atEase }, 'broken'],
  ])('%s', async (_, of, why) => {
    expect((await beside(of)).hindrance()).toBe(why);
  });
});

import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { BackendWatch } from '../../../src/load/meter/backend-watch.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { emptyTally, type Tally } from '../../../src/metrics/tally.ts';

beforeAll(histogramsReady);
let recorder: Recorder;
let tally: Tally;
beforeEach(() => {
  recorder = new Recorder();
  tally = emptyTally();
});
afterEach(() => recorder[Symbol.dispose]());

const none = { sessions: 0, withoutPhones: 0, finals: 0, moved: 0, lost: 0 };
const watch = () => new BackendWatch(recorder, tally, 1000);
/** What is not 0 of each backend. */
const seen = () =>
  Object.fromEntries(
    recorder.backends.map(({ name, counts }) => [
      name,
      Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ]),
  );

it('a server that says nothing of backends has none', () => {
  const session = watch();
  session.ready({});
  session.final(undefined);
  session.finalTook(2000, 2100);
  session.lost();
  expect(recorder.backends).toEqual([]);
  expect(recorder.encode()).toEqual({ slices: [] });
  expect(tally.transcripts_lost).toBe(1);
});

it('a session counts where it began, and each final where it was written', () => {
  const session = watch();
  session.ready({ backend: 'managed' });
  session.final('managed');
  // It is taken up again where it went on meanwhile.
  session.ready({ backend: 'own' });
  session.final('own');
  session.final('own');
  expect(seen()).toEqual({ managed: { sessions: 1, finals: 1, moved: 1 }, own: { finals: 2 } });
  expect(tally.transcripts_moved).toBe(1);
});

it('one that a backend hears alone counts as such, and what nobody writes any more as lost there', () => {
  const session = watch();
  session.ready({ backend: 'managed', scores_phones: false });
  session.lost();
  expect(seen()).toEqual({ managed: { sessions: 1, withoutPhones: 1, lost: 1 } });
  expect(tally.transcripts_lost).toBe(1);
});

it('finals that were due in the warm-up are counted and not timed', () => {
  const session = watch();
  session.ready({ backend: 'own' });
  for (const [dueMs, cameMs] of [
    [999, 5000],
    [1000, 1200],
    [3000, 3300],
    // One that is early is not negative.
    [4000, 3990],
  ] as const) {
    session.final('own');
    session.finalTook(dueMs, cameMs);
  }
  const [{ counts, finalLatency }] = recorder.backends as [(typeof recorder.backends)[0]];
  expect(counts.finals).toBe(4);
  expect(finalLatency.samples).toBe(3);
  expect(finalLatency.valueAtRank(3)).toBeCloseTo(300, 0);
  expect(finalLatency.valueAtRank(1)).toBe(0);
});

it('what several generators saw adds up', () => {
  const session = watch();
  session.ready({ backend: 'b' });
  session.final('b');
  session.finalTook(2000, 2100);
  const encoded = structuredClone(recorder.encode());
  recorder.add(encoded);
  recorder.add({ slices: [], backends: [{ name: 'a', counts: { ...none, sessions: 2 } }] });
  expect(seen()).toEqual({ a: { sessions: 2 }, b: { sessions: 2, finals: 2 } });
  expect(recorder.backends.map(({ finalLatency }) => finalLatency.samples)).toEqual([0, 2]);
});

it('a server that names ever more backends fills no memory', () => {
  for (let i = 0; i < 1000; i++) watch().ready({ backend: `${i} ${'x'.repeat(10_000)}` });
  expect(recorder.backends).toHaveLength(51);
  expect(recorder.backends.reduce((sum, { counts }) => sum + counts.sessions, 0)).toBe(1000);
  for (const { name } of recorder.backends) expect(name.length).toBeLessThanOrEqual(100);
});

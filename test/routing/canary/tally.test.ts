import { expect, it } from 'vitest';
import { CanaryTally } from '../../../src/routing/canary/tally.ts';

it('adds up what happens to each canary, from nothing', () => {
  const tally = new CanaryTally();
  tally.session('none', 'canary');
  tally.begin('a');
  expect(tally.totals()).toEqual({ sessions: [], utterances: [], rollbacks: [{ canary: 'a', count: 0 }] });
  for (const side of ['canary', 'baseline', 'baseline'] as const) tally.session('a', side);
  tally.utterance('a', 'canary', 'late');
  tally.utterance('a', 'canary', 'late');
  tally.rolledBack('a');
  // What is in force anew under the same name goes on.
  tally.begin('a');
  expect(tally.totals()).toEqual({
    sessions: [
      { canary: 'a', variant: 'canary', count: 1 },
      { canary: 'a', variant: 'baseline', count: 2 },
    ],
    utterances: [{ canary: 'a', variant: 'canary', outcome: 'late', count: 2 }],
    rollbacks: [{ canary: 'a', count: 1 }],
  });
});

it('knows the last ten by name, so that labels are bounded', () => {
  const tally = new CanaryTally();
  for (let n = 0; n < 30; n++) tally.begin(`c${n}`);
  tally.session('c0', 'canary');
  expect(tally.totals().rollbacks.map(({ canary }) => canary)).toEqual(
    Array.from({ length: 10 }, (_, at) => `c${at + 20}`),
  );
  expect(tally.totals().sessions).toEqual([]);
});

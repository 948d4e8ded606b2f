import { expect, it } from 'vitest';
import { playProgress } from '../../src/commands/capacity/play-progress.ts';

it.each<[string, number[], string[]]>([
  ['nothing of a run that is over within two seconds', [0, 500, 1999], []],
  ['how far it has come after two seconds', [1000, 2000], ['speechfb: simulated 50 % of 1 h']],
  [
    'and again after five',
    [2000, 4000, 6999, 7000],
    ['speechfb: simulated 25 % of 1 h', 'speechfb: simulated 100 % of 1 h'],
  ],
])('says %s', (_, callsMs, expected) => {
  const said: string[] = [];
  let nowMs = 0;
  const watch = playProgress(
    (sentence) => said.push(sentence),
    () => nowMs,
  );
  for (const [index, atMs] of callsMs.entries()) {
    nowMs = atMs;
    watch(((index + 1) / callsMs.length) * 3_600_000 - (callsMs.length === 2 ? 1_800_000 : 0), 3_600_000);
  }
  expect(said).toEqual(expected);
});

import { expect, it } from 'vitest';
import { type CoresSeen, LostCores } from '../../../src/server/overload/lost-cores.ts';

const everyMs = 250;
const used = (own: number, others: number, idle = 0): CoresSeen => ({ cores: 2, idle, used: { own, others } });
const usual = used(1.4, 0.6);

/** When it was told, since when, and how long it was so, in decisions; the loss begins at the eighth. */
function watch(then: readonly CoresSeen[]) {
  const watched = new LostCores();
  const told: { at: number; since: number }[] = [];
  const lately: number[] = [];
  for (const [at, seen] of [...Array<CoresSeen>(8).fill(usual), ...then].entries()) {
    const sinceMs = watched.look(at * everyMs, seen);
    if (sinceMs !== undefined) told.push({ at: at - 8, since: sinceMs / everyMs - 8 });
    if (watched.lately(at * everyMs)) lately.push(at - 8);
  }
  return { told, lately: lately.length === 0 ? undefined : [lately[0], lately.at(-1)] };
}
const times = (count: number, ...seen: CoresSeen[]) => Array.from({ length: count }, () => seen).flat();

it.each<[string, CoresSeen[], ReturnType<typeof watch>]>([
  ['nothing happens', times(80, usual), { told: [], lately: undefined }],
  [
    'one core is forbidden: at once, for ten seconds',
    times(80, { ...used(1, 0), cores: 1 }),
    { told: [{ at: 0, since: 0 }], lately: [0, 39] },
  ],
  [
    'others take a third of what it had: at the second sight, for ten seconds, and then that is usual',
    times(200, used(0.95, 1.05)),
    { told: [{ at: 1, since: 0 }], lately: [1, 39] },
  ],
  [
    'until they give it back',
    [...times(6, used(0.95, 1.05)), ...times(60, usual)],
    { told: [{ at: 1, since: 0 }], lately: [1, 5] },
  ],
  [
    'they give some of it back for a moment',
    [...times(4, used(0.95, 1.05)), used(1.34, 0.83), ...times(4, used(0.95, 1.05)), ...times(60, usual)],
    { told: [{ at: 1, since: 0 }], lately: [1, 8] },
  ],
  ['they take it for a moment', [used(0.95, 1.05), ...times(60, usual)], { told: [], lately: undefined }],
  ['they take it at every other sight', times(40, used(0.95, 1.05), usual), { told: [], lately: undefined }],
  ['they take a tenth of it', times(80, used(1.27, 0.73)), { told: [], lately: undefined }],
  [
    'they take what was idle and hardly more',
    [...times(30, used(1.1, 0.6, 0.15)), ...times(80, used(1.07, 0.93))],
    { told: [], lately: undefined },
  ],
  [
    'they take what was idle, and a tenth of what it had',
    [...times(30, used(1.1, 0.6, 0.15)), ...times(80, used(0.98, 1.02))],
    { told: [{ at: 31, since: 30 }], lately: [31, 69] },
  ],
  ['a tenth of the machine is idle beside them', times(80, used(0.9, 0.9, 0.1)), { told: [], lately: undefined }],
  ['it has less to do, and nobody more', times(80, used(0.9, 0.6)), { told: [], lately: undefined }],
  ['the system does not say', times(80, {}), { told: [], lately: undefined }],
  [
    'the system says nothing of those beside it, and then forbids a core',
    [...times(20, {}), ...times(80, { cores: 1 })],
    { told: [{ at: 20, since: 20 }], lately: [20, 59] },
  ],
])('%s', (_, then, expected) => {
  expect(watch(then)).toEqual(expected);
});

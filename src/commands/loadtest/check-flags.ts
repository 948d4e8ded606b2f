import { SpeechfbError } from '../../errors.ts';
import type { LoadtestFlags } from './flags.ts';

type Name = keyof LoadtestFlags;

/**
 * Flags of one run, which a search of many loads does not have; those of a search; and those that
 * several runs cannot share.
 */
const notWithSearch: readonly Name[] = ['shard', 'startAt', 'runs', 'duration', 'pushPrometheus', 'otlp'];
const onlyWithSearch: readonly Name[] = ['from', 'most', 'step'];
const notWithRuns: readonly Name[] = ['shard', 'startAt'];

/**
 * Refuses flags that contradict one another, all at once, before anything is read. Throws
 * `bad_flag`.
 */
export function checkLoadtestFlags(flags: LoadtestFlags): void {
  const given = (names: readonly Name[]) => names.filter((name) => flags[name] !== undefined).map(written);
  const problems = [
    ...(flags.findCapacity ? given(notWithSearch).map((name) => `${name} does not go with --find-capacity`) : []),
    ...(flags.findCapacity ? [] : given(onlyWithSearch).map((name) => `${name} goes with --find-capacity`)),
    ...((flags.runs ?? 1) > 1 ? given(notWithRuns).map((name) => `${name} does not go with --runs`) : []),
    ...(flags.findCapacity ? searchProblems(flags) : []),
  ].map((message) => ({ message }));
  if (problems.length === 0) return;
  const hint = flags.findCapacity
    ? '--step says how long each load is held, --from and --most between which loads it searches'
    : undefined;
  throw new SpeechfbError('bad_flag', 'these flags do not go together', { problems, ...(hint && { hint }) });
}

function searchProblems({ from, most, step }: LoadtestFlags): string[] {
  return [
    ...(from !== undefined && most !== undefined && from > most ? [`--from ${from} is more than --most ${most}`] : []),
    ...(step !== undefined && step < 1000 ? ['--step is too short to measure anything; allowed: 1s or more'] : []),
  ];
}

/** `--push-prometheus` */
function written(name: Name): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

import { SpeechfbError } from '../errors.ts';
import { mergeResults } from './merge-results.ts';
import type { RecordedRun } from './recorded-run.ts';

/** A run and what to call it in an error: its directory. */
export type NamedRun = { name: string; run: RecordedRun };

/**
 * The whole of which these runs are the shards, exactly: histograms and counts add up, and its
 * objectives can be judged on it. Throws `bad_shards` with everything that keeps them from being
 * one: other schedules or versions, the same shard twice, missing ones.
 */
export function mergeRuns(shards: readonly NamedRun[]): RecordedRun {
  const problems = mismatches(shards);
  if (problems.length > 0) {
    throw new SpeechfbError('bad_shards', 'these runs are not the shards of one load test', { problems });
  }
  const runs = shards.map(({ run }) => run);
  const { metadata } = runs[0]!;
  const results = runs.map(({ recording, traces, tracesSeen, metadata: own }) => ({
    recording,
    traces,
    tracesSeen,
    generators: [...own.generators],
    faults: [...own.faults],
    sessionErrors: [...own.sessionErrors],
    elapsedMs: own.elapsedMs,
  }));
  const { recording, traces, tracesSeen, ...merged } = mergeResults(results, metadata.scenario.seed);
  const startedAt = runs.map((run) => run.metadata.startedAt).sort()[0]!;
  const interrupted = runs.some((run) => run.metadata.interrupted);
  const aborted = runs.find((run) => run.metadata.aborted)?.metadata.aborted;
  const whole = { ...metadata, ...merged, startedAt, interrupted, aborted, shard: undefined };
  return { recording, traces, tracesSeen, metadata: whole };
}

function mismatches(shards: readonly NamedRun[]): { where: string; message: string }[] {
  const first = shards[0]!;
  const problems = shards.flatMap(({ name, run }) => {
    const said = (message: string) => ({ where: name, message });
    if (run.metadata.shard === undefined)
      return [said('is a whole run, not a shard; shards come from loadtest --shard i/n')];
    return [
      ...differs('schedule', run.metadata.scenario.planHash, first.run.metadata.scenario.planHash, first.name),
      ...differs(
        '--assume-independent',
        String(run.metadata.assumeIndependent),
        String(first.run.metadata.assumeIndependent),
        first.name,
      ),
      ...differs('version of speechfb', run.metadata.speechfbVersion, first.run.metadata.speechfbVersion, first.name),
      ...differs('objectives', objectivesOf(run), objectivesOf(first.run), first.name),
      ...differs('number of shards', run.metadata.shard.count, first.run.metadata.shard?.count, first.name),
    ].map(said);
  });
  if (problems.length > 0) return problems;
  const count = first.run.metadata.shard!.count;
  for (let index = 1; index <= count; index++) {
    const names = shards.filter(({ run }) => run.metadata.shard!.index === index).map(({ name }) => name);
    if (names.length === 0) problems.push({ where: `shard ${index}/${count}`, message: 'is missing' });
    if (names.length > 1) problems.push({ where: names.join(', '), message: `are the same shard, ${index}/${count}` });
  }
  return problems;
}

function differs(what: string, given: unknown, expected: unknown, of: string): string[] {
  return given === expected ? [] : [`has the ${what} ${given}, unlike ${expected} of ${of}`];
}

function objectivesOf({ metadata }: RecordedRun): string {
  return metadata.objectives.map(({ source }) => source).join('; ');
}

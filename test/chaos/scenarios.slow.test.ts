import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';
import { runProgram } from '../kit/program.ts';
import { redisLack } from '../kit/redis-lack.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = 'scenarios/chaos';
/**
 * Game days that break several things in turn need their time between one another, and a machine
 * that is slow its time to be felt; the flood has a test of its own; what hangs is scripted in a
 * policy, whose times count from the server's start. Of those that need a Kafka one has a test of
 * its own: there sessions are given up on purpose.
 */
const untried = [
  ...['tenant-flood.yaml', 'dependency-loss.yaml', 'gpu-failure.yaml', 'node-loss.yaml', 'packet-loss.yaml'],
  ...['canary-rollback.yaml', 'managed-hangs.yaml', 'no-node.yaml', 'slow-machine.yaml'],
  ...['kill-kafka.yaml', 'stop-kafka.yaml', 'kill-worker.yaml'],
  // What they break is broken by others too, and a gate has an end: `npm run bench chaos` has all.
  ...['lying-node.yaml', 'rolling-everything.yaml', 'zone-loss.yaml'],
];
const files = readdirSync(folder)
  .filter((file) => !untried.includes(file))
  .sort();

/** What an operator can read in the logs of the service, by scenario: docs/chaos.md promises it. */
const sentences: Readonly<Record<string, readonly string[]>> = {
  'expire-certificates.yaml': [
    'the certificate has expired: open connections go on, no client makes a new one',
    'the certificate of this end of a trunk has expired: open trunks go on, none can be made anew',
    'took up the changed certificate and key',
  ],
  'kill-inference.yaml': ['a node is not there', 'a node is there'],
  'stop-inference.yaml': ['a node is not there', 'a node is there'],
  'rolling-nodes.yaml': ['a node is not there', 'a node is there'],
  'drain-gateway.yaml': ['drained'],
  'kill-redis.yaml': ['the store does not answer', 'the store answers'],
  'stop-redis.yaml': ['the store does not answer', 'the store answers'],
  'slow-redis.yaml': ['the store does not answer', 'the store answers'],
};

/** Does one thing after the other. */
class Lane {
  #last: Promise<unknown> = Promise.resolve();

  next<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** A scenario mostly waits: four at once take a quarter of the time, and what is asked holds on any machine. */
const lanes = Array.from({ length: 4 }, () => new Lane());

/** Latencies are for a machine of one's own; what nobody may lose or hear twice holds on any. */
describe.concurrent.each(files)('%s with ten learners, in less time', (file) => {
  const lane = lanes[files.indexOf(file) % lanes.length]!;
  const needsRedis = readFileSync(join(folder, file), 'utf8').includes('store: redis');
  it.skipIf(needsRedis && redisLack !== undefined)(
    'breaks what it says, and nothing is lost, told twice or ended',
    async ({ expect }) => {
      const { code, run, log, stderr } = await lane.next(() => shortRun(file));
      expect(code, stderr).toBeOneOf([0, 98, 99]);
      const { faults, session_errors: errors } = run;
      const { sessions, sessions_ok } = run.totals;
      const { violations, lost_frames } = run.counts;
      expect(faults.filter(({ problem }: { problem?: string }) => problem !== undefined)).toEqual([]);
      expect(errors).toEqual([]);
      for (const sentence of sentences[file] ?? []) expect(log).toContain(sentence);
      expect({ sessions, sessions_ok, violations: violations.count, lost_frames: lost_frames.count }).toEqual({
        sessions: 10,
        sessions_ok: 10,
        violations: 0,
        lost_frames: 0,
      });
    },
    600_000,
  );
});

/** A replaced process takes its time to start, however short the test is. */
const fasterBy = (file: string) =>
  ({ 'rolling-everything.yaml': 1, 'expire-certificates.yaml': 2, 'lying-node.yaml': 2 })[file] ?? 5;

/** The scenario with ten learners; its timeline is as long as it needs for what it breaks. */
async function shortRun(file: string) {
  const scratch = temporaryDirectory();
  const text = readFileSync(join(folder, file), 'utf8')
    .replace('../../fixtures', resolve('fixtures'))
    .replace('learners: 50', 'learners: 10')
    .replace('ramp: 5s', 'ramp: 1s')
    .replace(/^ {4}- (p\d+|max)\(.*\n/gm, '')
    .replace(
      /\bfor: (\d+)s/g,
      (_, seconds: string) => `for: ${Math.max(500, (Number(seconds) * 1000) / fasterBy(file))}ms`,
    );
  const scenario = join(scratch, file);
  writeFileSync(scenario, text);
  const durationS = [...text.matchAll(/duration: (\d+)s/g)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
  const out = join(scratch, 'out');
  const ended = await runProgram(['loadtest', scenario, '--duration', `${durationS / fasterBy(file)}s`, '--out', out]);
  const read = (name: string) => readFileSync(join(out, name), 'utf8');
  return { ...ended, run: JSON.parse(read('run.json')), log: read('service.log') };
}

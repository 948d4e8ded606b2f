import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'vitest';
import { runProgram } from '../kit/program.ts';
import { redisLack } from '../kit/redis-lack.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = 'scenarios/chaos';
/**
 * Starting a service takes a test most of its time, so that scenarios whose services are alike break one service in
 * turn. What is not here has a test of its own, needs its time to be felt, or breaks what others break too:
 * `npm run bench chaos` has all.
 */
const days: readonly { service: string; files: readonly string[] }[] = [
  {
    service: 'whose gateways and nodes go',
    files: [
      ...['kill-gateway.yaml', 'kill-inference.yaml', 'stop-gateway.yaml', 'stop-inference.yaml'],
      ...['drain-gateway.yaml', 'rolling-nodes.yaml'],
    ],
  },
  {
    service: 'whose store goes',
    files: ['kill-redis.yaml', 'stop-redis.yaml', 'slow-redis.yaml', 'redis-failover.yaml', 'clock-back.yaml'],
  },
  { service: 'whose certificates expire', files: ['expire-certificates.yaml'] },
];

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

/** Latencies are for a machine of one's own; what nobody may lose or hear twice holds on any. */
describe.concurrent.each(days)('a service $service, with ten learners', ({ files }) => {
  const needsRedis = textOf(files[0]!).includes('store: redis');
  it.skipIf(needsRedis && redisLack !== undefined)(
    `loses nothing, tells nothing twice and ends nobody: ${files.join(', ')}`,
    async ({ expect }) => {
      const { code, run, log, stderr } = await broken(files);
      expect(code, stderr).toBeOneOf([0, 98, 99]);
      const { faults, session_errors: errors } = run;
      const { sessions, sessions_ok } = run.totals;
      const { violations, lost_frames } = run.counts;
      expect(faults.filter(({ problem }: { problem?: string }) => problem !== undefined)).toEqual([]);
      expect(errors, log).toEqual([]);
      for (const sentence of files.flatMap((file) => sentences[file] ?? [])) expect(log).toContain(sentence);
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

const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');

/** Where certificates are made and processes replaced, these need their time, however short the test is. */
const fasterBy = (file: string) => ({ 'rolling-nodes.yaml': 1.5, 'expire-certificates.yaml': 1 })[file] ?? 5;

/** By then the services beside have started, too: that takes every core for seconds. */
const startedMs = 15_000;
/** A process that is replaced is there again, on a machine with other things to do, before something else breaks. */
const replacedMs = 8000;
/** Those who were held up have caught up. */
const settledMs = 4000;

/** The faults of all files, one file's after the other's, each file's in less time than it gives them. */
function faultsInTurn(files: readonly string[]) {
  const lines: string[] = [];
  let endMs = startedMs;
  for (const file of files) {
    const faults = [...textOf(file).matchAll(/^ {4}- (\w+): \{ at: (\d+)s.*\}\n/gm)];
    const shortMs = (seconds: string) => Math.round((Number(seconds) * 1000) / fasterBy(file));
    const [fromMs, firstMs] = [endMs, shortMs(faults[0]![2]!)];
    for (const [line, kind, at] of faults) {
      const atMs = fromMs + shortMs(at!) - firstMs;
      const [, seconds] = / for: (\d+)s/.exec(line) ?? [];
      const forMs = seconds === undefined ? 0 : Math.max(500, shortMs(seconds));
      lines.push(line.replace(/at: \d+s/, `at: ${atMs}ms`).replace(/for: \d+s/, `for: ${forMs}ms`));
      endMs = Math.max(endMs, atMs + forMs + (/^(kill|drain)(Node|Gateway)/.test(kind!) ? replacedMs : settledMs));
    }
  }
  return { lines, endMs };
}

/** The service of the first file with ten learners, broken as all the files say. */
async function broken(files: readonly string[]) {
  const scratch = temporaryDirectory();
  const { lines, endMs } = faultsInTurn(files);
  const text = textOf(files[0]!)
    .replace('../../fixtures', resolve('fixtures'))
    .replace(/^ {2}load:\n( {4}.*\n)+/m, '  load: { learners: 10, ramp: 1s }\n')
    .replace(/^ {2}duration: .*\n/m, '')
    .replace(/^ {2}faults:\n( {4}.*\n)+/m, `  duration: ${endMs}ms\n  drain: 60s\n  faults:\n${lines.join('')}`)
    .replace(/^ {4}- (p\d+|max)\(.*\n/gm, '');
  const scenario = join(scratch, files[0]!);
  writeFileSync(scenario, text);
  const out = join(scratch, 'out');
  const ended = await runProgram(['loadtest', scenario, '--out', out]);
  const read = (name: string) => readFileSync(join(out, name), 'utf8');
  return { ...ended, run: JSON.parse(read('run.json')), log: read('service.log') };
}

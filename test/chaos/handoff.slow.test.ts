import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { jars, kafkaLack } from '../kit/kafka.ts';
import { runProgram } from '../kit/program.ts';
import { redisLack } from '../kit/redis-lack.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const file = 'stop-kafka.yaml';
vi.stubEnv('KAFKA_HOME', dirname(jars));
afterAll(() => void vi.unstubAllEnvs());

it.skipIf((kafkaLack ?? redisLack) !== undefined)(
  `${file} with ten learners, in less time: who reads loses nothing, and an operator reads what waits`,
  async () => {
    const scratch = temporaryDirectory();
    const text = readFileSync(`scenarios/chaos/${file}`, 'utf8')
      .replace('../../fixtures', resolve('fixtures'))
      .replace('duration: 10s, learners: 50, ramp: 5s', 'duration: 4s, learners: 10, ramp: 1s')
      .replace('name: broken, duration: 20s', 'name: broken, duration: 9s')
      .replace('name: after, duration: 15s', 'name: after, duration: 4s')
      .replace('stopKafka: { at: 10s, for: 12s }', 'stopKafka: { at: 3s, for: 9s }')
      .replace('at: 12s, learners: 50%', 'at: 5s, learners: 50%')
      .replace('at: 20s, learners: 100%', 'at: 6s, learners: 100%');
    const scenario = join(scratch, file);
    writeFileSync(scenario, text);
    const out = join(scratch, 'out');
    const { code, stderr } = await runProgram(['loadtest', scenario, '--out', out]);
    expect(code, stderr).toBeOneOf([0, 98, 99]);
    const run = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    expect(run.faults.map(({ kind, problem }: { kind: string; problem?: string }) => [kind, problem])).toEqual([
      ['stop-kafka', undefined],
      ['reconnect', undefined],
      ['reconnect', undefined],
    ]);
    const { sessions, sessions_ok } = run.totals;
    expect({ sessions, sessions_ok, violations: run.counts.violations.count }).toEqual({
      sessions: 10,
      sessions_ok: 8,
      violations: 0,
    });
    const log = readFileSync(join(out, 'service.log'), 'utf8');
    expect(log).toContain('"msg":"utterances wait to be handed over"');
    expect(log).not.toContain('an utterance is not scored later');
    expect(log).toMatch(/worker 1: .*"dead":0.*"msg":"drained"/);
  },
  300_000,
);

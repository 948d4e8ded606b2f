import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { generatorCount, runGenerators, splitTask } from '../../../src/load/generator/pool.ts';
import { histogramsReady } from '../../../src/metrics/histogram.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import type { Trace } from '../../../src/metrics/trace.ts';
import { mergeTraces } from '../../../src/metrics/traces.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import type { GeneratorResult } from '../../../src/results/merge-results.ts';
import { lostResult, mergeResults } from '../../../src/results/merge-results.ts';
import { checkValidity } from '../../../src/results/validity.ts';
import { startFakeServer } from '../../kit/fake-server.ts';
import { childrenOf } from '../../kit/processes.ts';
import { framesOf, plansOf, taskOf } from '../../kit/shard.ts';

beforeAll(histogramsReady);

describe('generators', () => {
  it('share the learners, and what they measure adds up', async () => {
    const server = await startFakeServer();
    const task = taskOf(plansOf(9), { url: server.url });
    const result = await runGenerators(task, quiet(), 3);
    await server.close();
    const whole = new Recorder(result.recording).merged();
    expect(whole.tally).toMatchObject({ sessions: 9, sessions_ok: 9, lost_frames: 0 });
    expect(whole.tally.frames_sent).toBe(framesOf(task.plans));
    expect(result.generators.map(({ learners }) => learners)).toEqual([3, 3, 3]);
    expect(result.generators.every(({ rssBytes, cpu }) => rssBytes > 1e7 && cpu > 0)).toBe(true);
    expect(result.traces).toHaveLength(result.tracesSeen);
  });

  it('of which one is killed make the run invalid, never smaller in silence', async () => {
    const server = await startFakeServer();
    let started = false;
    const hooks = {
      ...quiet(),
      onProgress() {
        if (started) return;
        started = true;
        process.kill(childrenOf(process.pid).find(isGenerator)!, 'SIGKILL');
      },
    };
    const result = await runGenerators(taskOf(plansOf(4), { url: server.url }), hooks, 2);
    await server.close();
    expect(result.generators.filter(({ lost }) => lost !== undefined)).toMatchObject([
      { learners: 2, lost: expect.stringContaining('SIGKILL') },
    ]);
    const measured = measurementsOf(new Recorder(result.recording).merged());
    const alive = checkValidity(measured, result.generators, []).find(({ check }) => check === 'generators alive');
    expect(alive).toMatchObject({ ok: false, detail: expect.stringContaining('2 learners') });
  });

  it.each([
    [20, 8, true, 1],
    [120, 8, true, 3],
    [5000, 8, true, 6],
    [5000, 8, false, 8],
    [5000, 2, true, 1],
    [1, 1, true, 1],
  ])('for %i learners on %i cores, a server beside them: %s, are %i', (learners, cores, embedded, count) => {
    expect(generatorCount(learners, cores, embedded)).toBe(count);
  });

  it.each([
    [1, 'quic-datagram', 1],
    [10, 'quic-datagram', 1],
    [11, 'quic-datagram', 2],
    [5000, 'quic-datagram', 16],
    [11, 'quic-stream', 1],
  ] as const)('for %i learners by %s on two cores are %i', (learners, transport, count) => {
    expect(generatorCount(learners, 2, false, transport)).toBe(count);
  });
});

describe('a task that is split', () => {
  it('deals learners in turn, each with the faults that hit it; those of the server are nobody’s', () => {
    const faults = [
      { kind: 'reconnect', atMs: 1000, learners: [0, 1, 2] },
      { kind: 'stop-server', atMs: 1000, forMs: 100 },
    ] as const;
    const parts = splitTask(taskOf(plansOf(5), { faults }), 2);
    expect(parts.map(({ plans }) => plans.map(({ learner }) => learner))).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(parts.map((part) => part.faults)).toEqual([
      [{ kind: 'reconnect', atMs: 1000, learners: [0, 2] }],
      [{ kind: 'reconnect', atMs: 1000, learners: [1] }],
    ]);
    expect(splitTask(taskOf(plansOf(2)), 8)).toHaveLength(2);
  });
});

describe('results that are merged', () => {
  it('keep what every generator says of itself, the lost ones too', () => {
    const merged = mergeResults([lostResult(7, 'signal SIGKILL'), lostResult(5, 'exit code 1')], 1);
    expect(merged.generators.map(({ learners }) => learners)).toEqual([7, 5]);
    expect(merged.sessionErrors).toHaveLength(2);
  });

  it('sum the learners whom one fault hit in several generators', () => {
    const record = { kind: 'reconnect', plannedMs: 1000, atMs: 1002, affected: { learners: 2, of: 3 } } as const;
    const empty = lostResult(1, '');
    const results: GeneratorResult[] = [
      { ...empty, faults: [record] },
      { ...empty, faults: [{ ...record, atMs: 1004, affected: { learners: 1, of: 1 } }] },
    ];
    expect(mergeResults(results, 1).faults).toEqual([{ ...record, affected: { learners: 3, of: 4 } }]);
  });

  it('hold a uniform sample of all traces, however unequal the generators were', () => {
    const traces = (session: string, count: number): Trace[] =>
      Array.from({ length: count }, (_, at_ms) => ({
        at_ms,
        session,
        profile: 'direct',
        language: 'en-US',
        total_ms: 1,
        stages: {},
      }));
    const few = { traces: traces('few', 100), tracesSeen: 100 };
    const many = { traces: traces('many', 1000), tracesSeen: 9900 };
    const merged = mergeTraces([few, many], 3, 1000);
    expect(merged.tracesSeen).toBe(10_000);
    expect(merged.traces).toHaveLength(1000);
    const ofFew = merged.traces.filter(({ session }) => session === 'few').length;
    expect(ofFew).toBeGreaterThan(2);
    expect(ofFew).toBeLessThan(25);
  });
});

function quiet() {
  return { onProgress: () => {}, signal: new AbortController().signal };
}

function isGenerator(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('generator/process');
}

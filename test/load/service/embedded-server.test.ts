import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { startEmbedded } from '../../../src/load/service/embedded-server.ts';
import { checkValidity } from '../../../src/results/validity.ts';
import { emptyMeasurements, sorted } from '../../kit/measurements.ts';
import { stateOf } from '../../kit/processes.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const node = (script: string) => ({ file: process.execPath, args: ['-e', script, '--'] });
const tell = (news: object) => `require('node:fs').writeSync(3, ${JSON.stringify(`${JSON.stringify(news)}\n`)});`;
const ready = tell({ type: 'ready', url: 'ws://127.0.0.1:4321/v1/stream' });
const live = 'setInterval(() => {}, 1000);';

const healthy = { learners: 4, busy: 0.1, cpu: 0.2, waited: 0.01, loopDelayP99Ms: 6, rssBytes: 60e6 };

describe('a server in a process of its own', () => {
  it('is found by the address that it tells on the pipe, and ends on SIGTERM', async () => {
    const script = `process.on('SIGTERM', () => process.exit(7)); ${live}
      console.error('a decoy: ws://127.0.0.1:9/v1/stream'); ${ready}`;
    const server = await startEmbedded(node(script));
    expect(server.url).toBe('ws://127.0.0.1:4321/v1/stream');
    await server.stop();
    expect(await server.exited).toBe(7);
    await server.stop();
  });

  it('is stopped where it stands and goes on, until it is gone', async () => {
    const server = await startEmbedded(node(`process.on('SIGTERM', () => process.exit(7)); ${live} ${ready}`));
    expect(server.signal('SIGSTOP')).toBe(true);
    await vi.waitFor(() => expect(stateOf(server.pid)).toBe('T'), 30_000);
    expect(server.signal('SIGCONT')).toBe(true);
    await vi.waitFor(() => expect(stateOf(server.pid)).not.toBe('T'), 30_000);
    expect(server.signal('SIGSTOP')).toBe(true);
    await server.stop();
    expect(await server.exited).toBe(7);
    expect(server.signal('SIGSTOP')).toBe(false);
  });

  it('sees its wall clock step back in every thread, and no other clock', async () => {
    const server = await startEmbedded({ file: process.execPath, args: [watchedClocks()], hasSteppingClock: true });
    expect(server.stepClock(-3_600_000)).toBe(true);
    expect(await server.exited).toBe(7);
    expect(server.stepClock(-1)).toBe(false);
  });

  it("sees the machine's own clock without that", async () => {
    const server = await startEmbedded(node(`${live} ${ready}`));
    expect(server.stepClock(-3_600_000)).toBe(false);
    await server.stop();
  });

  it('is heard as long as it lives', async () => {
    const script = `process.on('SIGTERM', () => { console.error('the last word'); process.exit(0); }); ${live} ${ready}`;
    let said = '';
    const onLog = (bytes: Uint8Array) => {
      said += Buffer.from(bytes);
    };
    const server = await startEmbedded(node(script), { onLog });
    await server.stop();
    await vi.waitFor(() => expect(said).toBe('the last word\n'), 30_000);
  });

  it('that ends before it listens is an error with its last words', async () => {
    const failing = startEmbedded(node(`console.error('the model is gone'); process.exit(2);`));
    await expect(failing).rejects.toThrow('the embedded server did not start: the model is gone');
    await expect(failing).rejects.toMatchObject({ code: 'server_failed' });
  });

  it('that ends with an error of ours is quoted with its problems and its hint, and without its log', async () => {
    const error = {
      code: 'bad_model',
      message: 'the model has a problem',
      problems: [{ where: 'model.json', message: 'no states' }],
      hint: 'train another',
    };
    const script = `console.error('{"level":30}'); ${tell({ type: 'failed', error })} process.exit(2);`;
    await expect(startEmbedded(node(script))).rejects.toMatchObject({
      message: 'the embedded server did not start: the model has a problem',
      problems: [{ where: 'model.json', message: 'no states' }],
      hint: 'train another',
    });
  });

  it('that never listens is an error too', async () => {
    await expect(startEmbedded(node(live), { startupMs: 300 })).rejects.toThrow('it said nothing');
  });

  it('that is given up before it listens is killed', async () => {
    const stop = new AbortController();
    const starting = startEmbedded(node(live), { signal: stop.signal });
    stop.abort();
    await expect(starting).rejects.toMatchObject({ code: 'server_failed' });
  });

  it('that cannot even be started is an error', async () => {
    await expect(startEmbedded({ file: '/no/such/program', args: [] })).rejects.toThrow('did not start');
  });
});

/**
 * A program that ends when a thread of it has seen the wall clock step back: with 7 if the program
 * sees it too, and nothing else.
 */
function watchedClocks(): string {
  const folder = temporaryDirectory();
  const [program, thread] = [join(folder, 'program.mjs'), join(folder, 'thread.mjs')];
  writeFileSync(
    thread,
    `import { parentPort } from 'node:worker_threads'; const began = Date.now();
    parentPort.postMessage('began');
    setInterval(() => { if (Date.now() < began - 3.5e6) parentPort.postMessage('stepped'); }, 5);`,
  );
  writeFileSync(
    program,
    `import { writeSync } from 'node:fs'; import { Worker } from 'node:worker_threads';
    const worker = new Worker(${JSON.stringify(thread)});
    const [wall, steady] = [Date.now(), performance.now()];
    worker.on('message', (said) => {
      if (said === 'began') return writeSync(3, '{"type":"ready","url":"ws://127.0.0.1:1/v1/stream"}\\n');
      const stepped = Date.now() < wall - 3.5e6 && new Date().getTime() < wall - 3.5e6;
      const whole = new Date(5).getTime() === 5 && new Date() instanceof Date && typeof Date() === 'string';
      process.exit(stepped && whole && performance.now() >= steady ? 7 : 8);
    });`,
  );
  return program;
}

describe('a run is invalid', () => {
  it.each([
    ['not with a generator that kept up', [[1000, 2]], 0.3, 500, []],
    [
      'when frames went out more than 10 ms late at p99',
      [
        [985, 2],
        [15, 11],
      ],
      0.3,
      500,
      ['send lateness'],
    ],
    ["when the generator's thread was busy", [[1000, 2]], 0.95, 500, ['generators busy']],
    ['when no feedback was ever due', [[1000, 2]], 0.3, 0, ['feedback due']],
    ['not for a server that refused everyone: that is a failure', [], 0.01, 500, []],
  ] as const)('%s', (_, lateness, busy, due, failed) => {
    const empty = emptyMeasurements();
    const distributions = {
      ...empty.distributions,
      send_lateness: sorted(lateness),
      feedback_latency: sorted([[due, Number.POSITIVE_INFINITY]]),
    };
    const checks = checkValidity({ ...empty, distributions }, [{ ...healthy, busy }], []);
    expect(checks.filter(({ ok }) => !ok).map(({ check }) => check)).toEqual(failed);
  });

  it.each([
    ['waited for a core for more than half of the time', { waited: 0.6 }],
    ['ran its timers late, and so read late', { loopDelayP99Ms: 11 }],
  ])('when a generator %s', (_, symptom) => {
    const checks = checkValidity(emptyMeasurements(), [healthy, { ...healthy, ...symptom }], []);
    expect(checks.find(({ check }) => check === 'generators busy')?.ok).toBe(false);
    expect(checkValidity(emptyMeasurements(), [healthy], []).find(({ check }) => check === 'generators busy')?.ok).toBe(
      true,
    );
  });
});

import { expect, it, onTestFinished } from 'vitest';
import { runGenerator } from '../../../src/load/generator/generator.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { startFakeServer } from '../../kit/fake-server.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';

it('learners are spread over all servers of a service, and one that is not there is asked once', async () => {
  const servers = [await startFakeServer(), await startFakeServer()];
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
  const [url, alsoAt] = servers.map((server) => server.url) as [string, string];
  const task = taskOf(plansOf(6), { url, alsoAt: [alsoAt, 'ws://127.0.0.1:9/v1/stream'], drainMs: 20_000 });
  const { recording, sessionErrors } = await runGenerator(task, {
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const { sessions, sessions_ok } = new Recorder(recording).merged().tally;
  expect({ sessions, sessions_ok, sessionErrors }).toEqual({ sessions: 6, sessions_ok: 6, sessionErrors: [] });
  // Two learners begin at each of the three; those of the one that is not there go on to the first.
  expect(servers.map((server) => server.sessions.size)).toEqual([4, 2]);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { giveWay } from '../../../src/load/service/give-way.ts';

it('gives a process the priority of one that only takes what is left', async () => {
  const child = spawn('sleep', ['60']);
  onTestFinished(() => void child.kill('SIGKILL'));
  giveWay(child.pid);
  expect(getPriority(child.pid)).toBeGreaterThanOrEqual(10);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // It may be gone by then, or never have been there.
  for (const pid of [child.pid, undefined]) expect(() => giveWay(pid)).not.toThrow();
});

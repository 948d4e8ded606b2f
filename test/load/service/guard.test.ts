import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { workerUrl } from '../../../src/threads/worker-url.ts';
import { childrenOf, isAlive, stateOf } from '../../kit/processes.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const soon = { timeout: 30_000, interval: 20 };
const module = workerUrl(new URL('../../../src/load/service/guard.ts', import.meta.url).href, 'guard.js');

it('removes a directory when its parent is gone, however that is called', async () => {
  const directory = join(temporaryDirectory(), "a 'dir' $x");
  mkdirSync(directory);
  const start = `import('${module}').then(({ Guard }) => { new Guard({ directory: ${JSON.stringify(directory)} }); console.log('up'); });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  await once(parent.stdout!, 'data');
  expect(existsSync(directory)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(directory)).toBe(false), soon);
});

describe('a stopped process whose guard was hit', () => {
  it.each<[string, (guard: number, parent: number) => void]>([
    ['by nothing', () => {}],
    [
      'by each signal that ends a shell',
      (guard) => {
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.kill(guard, signal);
      },
    ],
    ["with the group of the guard's parent", (_, parent) => void process.kill(-parent, 'SIGKILL')],
  ])('%s dies with its parent', async (_, hit) => {
    const { parent, stopped } = await guarded();
    const guard = guardsOf(parent)[0]!;
    hit(guard, parent.pid!);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect([stopped, guard].filter(isAlive)).toEqual([]), soon);
  });

  it('by kill -9 gets another, and dies with its parent', async () => {
    const { parent, stopped } = await guarded();
    const first = guardsOf(parent)[0]!;
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(guardsOf(parent).filter((pid) => pid !== first)).toHaveLength(1), soon);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(stopped)).toBe(false), soon);
  });

  /** A program that guards a process, which is stopped. */
  async function guarded(): Promise<{ parent: ChildProcess; stopped: number }> {
    const start = `const child = require('node:child_process').spawn('sleep', ['60'], { detached: true });
      import('${module}').then(({ Guard }) => { new Guard(child.pid); child.kill('SIGSTOP'); console.log(child.pid); });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const [printed] = await once(parent.stdout!, 'data');
    const stopped = Number(printed);
    onTestFinished(() => {
      for (const pid of [parent.pid!, stopped]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    await vi.waitFor(() => expect(stateOf(stopped)).toBe('T'), soon);
    children.set(parent, stopped);
    return { parent, stopped };
  }

  function guardsOf(parent: ChildProcess): number[] {
    return childrenOf(parent.pid!).filter((pid) => pid !== children.get(parent));
  }
});

const children = new Map<ChildProcess, number>();

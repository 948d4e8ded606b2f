import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { giveWay } from '../../src/threads/give-way.ts';

/** A process with threads, which lives until the test ends. */
async function started(detached: boolean): Promise<ChildProcess & { pid: number }> {
  const script = 'process.stdout.write("there"); setTimeout(() => {}, 60_000)';
  const child = spawn(process.execPath, ['-e', script], { detached, stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as ChildProcess & { pid: number };
}

const sessionOf = (pid: number): string => readFileSync(`/proc/${pid}/autogroup`, 'utf8');

describe('a process that is to give way', () => {
  it('has the priority of one that only takes what is left', async () => {
    const child = await started(false);
    const wanted = Math.min(19, getPriority() + 10);
    giveWay(child.pid);
    expect(getPriority(child.pid)).toBe(wanted);
    // It stays as nice as it is.
    giveWay(child.pid, 4);
    expect(getPriority(child.pid)).toBe(wanted);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // It may be gone by then, or never have been there.
    for (const pid of [child.pid, undefined]) expect(() => giveWay(pid)).not.toThrow();
  });

  it.runIf(process.platform === 'linux')('does so with all of its threads', async () => {
    const { pid } = await started(false);
    giveWay(pid);
    const threads = readdirSync(`/proc/${pid}/task`).map(Number);
    expect(threads.length).toBeGreaterThan(1);
    for (const thread of threads) expect(getPriority(thread)).toBe(Math.min(19, getPriority() + 10));
  });

  it.runIf(existsSync('/proc/self/autogroup'))('does so with its session, where it has one to itself', async () => {
    const [own, ours] = [await started(true), await started(false)];
    const before = sessionOf(process.pid);
    for (const { pid } of [own, ours]) giveWay(pid);
    await expect.poll(() => sessionOf(own.pid)).toMatch(/nice (1\d)\n/);
    expect(sessionOf(ours.pid)).toBe(before);
  });
});

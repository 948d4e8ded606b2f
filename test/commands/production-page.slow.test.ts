import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { isAlive } from '../kit/processes.ts';
import { redisLack } from '../kit/redis-lack.ts';

const page = readFileSync('docs/production.md', 'utf8');
const section = page.split('## From one process to a service, in ten commands')[1]!;
const commands = section.split('```sh\n')[1]!.split('```')[0]!.trim().split('\n');

it('ten commands lead from one process to a service', () => {
  expect(commands).toHaveLength(10);
});

describe.skipIf(redisLack !== undefined)('the commands of the page, followed to the letter but for their ports', () => {
  it('serve a reader, then a reader whose session goes on at another gateway, and leave nothing behind', async () => {
    const { lines, ports } = await withFreePorts(commands);
    const run = openTerminal();
    const said: string[] = [];
    for (const line of lines) said.push(await run(line));
    const [first, second] = said.filter((_, at) => commands[at]!.includes('stream')) as [string, string];
    for (const output of [first, second]) expect(output).toMatch(/leader/);
    expect(first).not.toContain('socket lost');
    expect(second).toContain('socket lost, resuming');
    expect(second).toMatch(/resumed/);
    // npx ends before those that it started have drained.
    await vi.waitFor(async () => expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false)), {
      timeout: 20_000,
      interval: 100,
    });
  }, 240_000);
});

/** The same commands, with another port that is free for each of theirs. */
async function withFreePorts(given: readonly string[]): Promise<{ lines: string[]; ports: number[] }> {
  let text = given.join('\n');
  const ports: number[] = [];
  for (const port of new Set(text.match(/(?<=[: ])\d{4}\b/g))) {
    const free = await freePort();
    text = text.replaceAll(port, `${free}`);
    ports.push(free);
  }
  return { lines: text.split('\n'), ports };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * A shell with jobs, in which a person types one command after the other: each when the one before
 * has ended, or says that it is ready. Resolves with what was said meanwhile.
 */
function openTerminal(): (command: string) => Promise<string> {
  const typed = `set -m; while IFS= read -r line <&3; do eval "$line" </dev/null 3<&-; echo "done $?"; done`;
  const shell = spawn('bash', ['--norc', '-c', typed], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let said = '';
  const hear = (text: Buffer) => {
    said += text;
  };
  shell.stdout!.on('data', hear);
  shell.stderr!.on('data', hear);
  onTestFinished(() => {
    for (const pid of processesOf(shell.pid!)) process.kill(pid, 'SIGKILL');
  });
  return async (command) => {
    const from = said.length;
    (shell.stdio[3] as Writable).write(`${command}\n`);
    const over = command.endsWith('&') ? /ready/i : /^done \d+$/m;
    const heard = () => said.slice(from);
    await vi.waitFor(() => expect(heard()).toMatch(over), { timeout: 60_000, interval: 50 });
    if (!command.includes('wait')) expect(heard()).toMatch(/^done 0$/m);
    return heard();
  };
}

/** The shell of a session and all that it started and that is still there. */
function processesOf(session: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => sessionOf(pid) === session && isAlive(pid));
}

function sessionOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3]);
  } catch {
    return undefined;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { workerUrl } from '../../src/threads/worker-url.ts';
import { childrenOf, isAlive, stateOf } from '../kit/processes.ts';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
const quickstart = 'scenarios/quickstart.yaml';
const soon = { timeout: 30_000, interval: 20 };

describe('a load test that is killed leaves no process behind', () => {
  it.each([
    ['while learners speak, from two generators', [quickstart, '--generators', '2'], 'learners are speaking', 3],
    ['while its server starts', [quickstart], 'starting the server', 1],
    ['in a search for capacity', [quickstart, '--find-capacity'], 'learners are speaking', 2],
    ['in one of several runs', [quickstart, '--runs', '2'], 'learners are speaking', 2],
  ])('%s', async (_, args, moment, count) => {
    const { child, says } = loadtest(args);
    await says(moment);
    await vi.waitFor(() => expect(childrenOf(child.pid!)).toHaveLength(count), soon);
    const processes = childrenOf(child.pid!);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });

  it('while a fault has its server stopped', async () => {
    const scenario = join(scratch, 'stopped.yaml');
    const text = readFileSync(quickstart, 'utf8').replace('../fixtures', resolve('fixtures'));
    writeFileSync(
      scenario,
      text.replace('duration: 25s', 'duration: 25s\n  faults: [{ stopServer: { at: 500ms, for: 20s } }]'),
    );
    const { child, says, stderr } = loadtest([scenario]);
    await says('learners are speaking');
    const server = childrenOf(child.pid!)[0]!;
    await vi.waitFor(() => expect(stateOf(server), stderr()).toBe('T'), soon);
    const processes = childrenOf(child.pid!);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
  });
});

describe('a load test whose terminal closes', () => {
  it.each([
    ['alone hears of it', 1],
    ['hears of it with all of its processes', -1],
  ])('%s, and ends as after Ctrl-C: with what was measured, and 130', async (_, whom) => {
    const out = temporaryDirectory();
    const { child, says, stderr } = loadtest([quickstart, '--out', out]);
    await says(/[1-9]\d*\/20 learners/);
    const processes = childrenOf(child.pid!);
    process.kill(whom * child.pid!, 'SIGHUP');
    const [code] = await once(child, 'exit');
    expect(code, stderr()).toBe(130);
    expect(processes.filter(isAlive)).toEqual([]);
    const { interrupted, totals } = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
    expect({ interrupted, died: totals.sessions_died ?? 0 }).toEqual({ interrupted: true, died: 0 });
  });

  it('in one of several runs has the runs that were measured', async () => {
    const out = temporaryDirectory();
    const { child, says } = loadtest([quickstart, '--runs', '2', '--out', out]);
    await says(/[1-9]\d*\/20 learners/);
    child.kill('SIGHUP');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
    expect(existsSync(join(out, 'run-1', 'run.json'))).toBe(true);
    expect(JSON.parse(readFileSync(join(out, 'runs.json'), 'utf8'))).toBeTypeOf('object');
  });
});

describe('a load test that npx started', () => {
  it('ends as after Ctrl-C when npx is killed, though a shell stands between them', async () => {
    const out = temporaryDirectory();
    // As npm does it: a title, a shell, and the command behind it, which is not the last so that the shell stays.
    const npx = `process.title = 'npm exec speechfb';
      require('node:child_process').spawn('sh', ['-c', '"$0" "$@"; exit $?', process.execPath, ${JSON.stringify(bin)},
        'loadtest', '${quickstart}', '--out', ${JSON.stringify(out)}], { stdio: ['ignore', 'inherit', 'inherit'] });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', npx], {
      env: { ...process.env, npm_command: 'exec' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    parent.stderr!.on('data', (text) => {
      said += text;
    });
    await vi.waitFor(() => expect(said).toMatch(/[1-9]\d*\/20 learners/), soon);
    const shell = childrenOf(parent.pid!)[0]!;
    const loadtests = childrenOf(shell);
    const processes = [shell, ...loadtests, ...loadtests.flatMap(childrenOf)];
    expect(processes.length).toBeGreaterThan(3);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(processes.filter(isAlive)).toEqual([]), soon);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).interrupted).toBe(true);
  });
});

describe('a process that ends with its parent', () => {
  // The event loop never turns: only another thread can see the pipe close.
  it('does so also while its own thread is busy', async () => {
    const module = workerUrl(
      new URL('../../src/threads/end-with-parent.ts', import.meta.url).href,
      'end-with-parent.js',
    );
    const busy = `import('${module}').then(({ endWithParent }) => { endWithParent(3);
      require('node:fs').writeSync(1, 'busy'); for (;;); });`;
    const start = `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}],
      { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
      child.stdout.once('data', () => console.log(child.pid));`;
    const parent = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await once(parent.stdout!, 'data');
    const pid = Number(printed);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), soon);
  });
});

describe('a server started by hand', () => {
  it('lives on without standard input, and without a terminal when the one it came from closes', async () => {
    const nothing = openSync('/dev/null', 'w');
    const child = spawn(process.execPath, [bin, 'serve', '--port', '0'], { stdio: ['pipe', 'pipe', nothing] });
    closeSync(nothing);
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin!.end();
    const [printed] = await once(child.stdout!, 'data');
    const health = /ws(:\/\/[^/]+)/.exec(String(printed))!.map((address) => `http${address}/healthz`)[1]!;
    child.kill('SIGHUP');
    // Asked twice: the signal is there by the time that the first answer is.
    for (let i = 0; i < 2; i++) expect((await fetch(health)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('with a descriptor that is not open exits 2 and says so', async () => {
    const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--parent-fd', '77']);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(stderr).toContain('--parent-fd: 77 is no open file descriptor [bad_flag]');
  });
});

/** A load test in a group of processes of its own; `says` waits until its stderr has the text. */
function loadtest(args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [bin, 'loadtest', ...args], { detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout!.resume();
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const says = (text: string | RegExp) => vi.waitFor(() => expect(said).toMatch(text), soon);
  return { child, says, stderr: () => said };
}

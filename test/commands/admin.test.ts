import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bin, runProgram } from '../kit/program.ts';
import { finalOf, lastFrame, sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const clip = readClip('leader');
type Started = { child: ChildProcess; url: string; admin: string[]; audit: string; stderr(): string };

/** A server with an admin plane, whose address its log says. */
async function start(args: readonly string[], { mostBytes }: { mostBytes?: number } = {}): Promise<Started> {
  const directory = temporaryDirectory();
  const tokenFile = join(directory, 'admin-tokens');
  const audit = join(directory, 'audit.jsonl');
  writeFileSync(tokenFile, 'anna operate 0123456789abcdef\n');
  const plane = ['--admin-listen', '127.0.0.1:0', '--admin-token-file', tokenFile, '--audit-log', audit];
  const command = [process.execPath, bin, 'serve', '--port', '0', ...plane, ...args];
  // A process that may write no file longer than so many blocks of 512 bytes stands for a disk that is full.
  const limited = `trap '' XFSZ; ulimit -f ${(mostBytes ?? 0) / 512}; exec "$@"`;
  const [program, ...rest] = mostBytes === undefined ? command : ['sh', '-c', limited, 'sh', ...command];
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ready = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => String(line)),
    once(child, 'exit').then(() => Promise.reject(new Error(stderr))),
  ]);
  const url = / at (\S+) /.exec(ready)![1]!;
  await expect.poll(() => stderr).toMatch(/"url":"http/);
  const adminUrl = /"url":"(http[^"]+)"/.exec(stderr)![1]!;
  return { child, url, audit, stderr: () => stderr, admin: ['--url', adminUrl, '--token-file', tokenFile] };
}

const admin = (verb: string, { admin: where }: Started, ...rest: string[]) =>
  runProgram(['admin', verb, ...where, ...rest]);

describe('speechfb admin', () => {
  it.each([
    ['one process', ['--gateways', '1']],
    ['two gateways', ['--gateways', '2']],
  ])('of %s shows a reader, lets nobody new in, and has the server go when the reader has', async (_, args) => {
    const server = await start(args);
    const reader = await startReading(server.url, clip);
    sendClip(reader, clip, 0, 60);
    await reader.until('phoneme_feedback');

    const status = await admin('status', server);
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/^speechfb \S+, role all, en-learner \S+ on cpu, up /);
    expect(status.stdout).toMatch(/sessions {2}1 streaming \(1 live, 0 batch\), 0 detached, 0 ending; limit \d+/);
    for (const line of status.stdout.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(100);
    const sessions = JSON.parse((await admin('sessions', server, '--json')).stdout);
    expect(sessions.sessions).toMatchObject([{ state: 'streaming', lane: 'live', tenant: null, node: null }]);
    expect(JSON.stringify(sessions)).not.toContain(reader.of('ready')[0]!.session_id);
    expect((await admin('tenants', server)).stdout).toMatch(/\(without a token\) │ - +│ +- │ +1 │/);

    expect((await admin('tenants', server, 'nobody')).stderr).toMatch(/no tenant of this server is "nobody"/);

    expect((await admin('drain', server)).stderr).toMatch(/say why with --reason TEXT \[bad_flag\]/);
    const begun = await admin('drain', server, '--reason', 'a new version', '--deadline', '60s');
    expect(begun.stdout).toMatch(
      /^emptying {2}1 of 1 left open after .*; [\d.]+ (?:s|m) until they are told to go\naudit {5}entry 2\n$/,
    );
    await expect.poll(async () => (await fetch(readyUrl(server.url))).status).toBe(503);
    await expect(startReading(server.url, clip)).rejects.toThrow();
    expect((await admin('drain', server, '--cancel', '--reason', 'it can wait')).stdout).toMatch(/^serving /);
    await expect.poll(async () => (await fetch(readyUrl(server.url))).status).toBe(200);

    const gone = admin('drain', server, '--reason', 'a new version', '--wait');
    await expect.poll(() => readFileSync(server.audit, 'utf8').split('\n').length).toBe(5);
    sendClip(reader, clip, 61, lastFrame(clip));
    reader.send({ type: 'close' });
    expect((await reader.closed).code).toBe(1000);
    expect(finalOf(reader.events).words).not.toHaveLength(0);
    expect((await gone).code).toBe(0);
    if (server.child.exitCode === null) await once(server.child, 'exit');
    expect(server.child.exitCode).toBe(0);

    const checked = await runProgram(['audit', 'verify', server.audit]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^intact .*: 4 entries, /) });
    const head = /head {4}(\S+)/.exec(checked.stdout)![1]!;
    const lines = readFileSync(server.audit, 'utf8').split('\n');
    writeFileSync(server.audit, `${lines.slice(0, 3).join('\n')}\n`);
    const cut = await runProgram(['audit', 'verify', server.audit, '--head', head]);
    expect(cut).toMatchObject({ code: 99, stdout: expect.stringMatching(/^truncated .*:4: it ends with entry 3/) });
    expect((await admin('status', server)).stderr).toMatch(/cannot be called: .*ECONNREFUSED.* \[admin_unreachable\]/);
  });

  it('sets limits at all gateways of a server, until it ends, and shows who did', async () => {
    const server = await start(['--gateways', '2', '--limit', 'max_text_phones=80']);
    const set = (values: readonly string[], reason: string) =>
      admin('limits', server, ...values.flatMap((value) => ['--set', value]), '--reason', reason);
    expect((await set(['max_sessions=1'], 'one is enough')).stdout).toBe(
      'in force, until the server ends; the audit log has it as entry 2\nmax_sessions  400 -> 1\n',
    );
    const first = await startReading(server.url, clip);
    await expect(startReading(server.url, clip)).rejects.toThrow();
    // Each gateway counts the texts that are open there: there is room for one at each.
    expect((await set(['max_sessions=400', 'max_open_phones=80'], 'short texts alone')).code).toBe(0);
    const tries = await Promise.allSettled([1, 2, 3].map(() => startReading(server.url, clip)));
    expect(tries.filter(({ status }) => status === 'rejected')).not.toHaveLength(0);
    expect(await set(['limit_growth=9'], 'a slip')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/limit_growth: 9 is not allowed; allowed: a number from 0 to 1 \(bad_limit\)/),
    });
    const shown = await admin('limits', server);
    expect(shown.stdout).toMatch(
      /^max_open_phones {2}80\n {2}phones of all texts that are open\n.* 2000000 by default; .*\n {2}set by anna, .*: short texts alone$/m,
    );
    for (const line of shown.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(await fetch(readyUrl(server.url).replace('readyz', 'metrics')).then((answer) => answer.text())).toContain(
      'speechfb_limit{limit="max_open_phones"} 80',
    );
    first.cut();
  });

  it('is told that nothing was changed when the disk is full, and readers notice nothing', async () => {
    const server = await start(['--gateways', '1'], { mostBytes: 512 });
    const reader = await startReading(server.url, clip);
    const first = await admin('drain', server, '--reason', 'x'.repeat(300));
    expect(first).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /refuses, HTTP 503: nothing was changed: the audit log .* cannot be written: the file w/,
      ),
    });
    expect(JSON.parse((await admin('drain', server, '--show', '--json')).stdout).drain.phase).toBe('serving');
    expect((await fetch(readyUrl(server.url))).status).toBe(200);
    expect(server.stderr()).toMatch(/nothing was changed: the audit log cannot be written/);
    sendClip(reader, clip, 0, lastFrame(clip));
    reader.send({ type: 'close' });
    expect((await reader.closed).code).toBe(1000);
    // What was half written is not there.
    expect(await runProgram(['audit', 'verify', server.audit])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/: 1 entry, /),
    });
  });

  it('drains a node, whose slots it shows', async () => {
    const server = await startNode();
    const status = await admin('status', server);
    expect(status.stdout).toMatch(/role inference, en-learner/);
    expect(status.stdout).toMatch(/slots {5}0 of 3 taken, 0 trunks, 0 refused/);
    expect(await admin('sessions', server)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/HTTP 404: a node knows slots/),
    });
    expect((await admin('drain', server, '--reason', 'a new version', '--wait')).code).toBe(0);
    if (server.child.exitCode === null) await once(server.child, 'exit');
    expect(server.child.exitCode).toBe(0);
  });

  it.each([
    [['--admin-listen', '127.0.0.1:0'], /--admin-listen needs --admin-token-file FILE \[bad_flag\]/],
    [['--audit-log', 'x'], /--audit-log is for an admin plane \[bad_flag\]/],
    [['--admin-listen', '8095', '--admin-token-file', 'x'], /--admin-listen "8095" is no address/],
  ])('is not to be had by %j', async (args, message) => {
    const { code, stderr } = await runProgram(['serve', '--port', '0', ...args]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('speechfb audit verify', () => {
  it.each([
    ['a log without an entry', '', 98, /^empty /],
    ['what is no log', 'hello\n', 99, /^edited {2}.*:1: the line was edited: it is no JSON/],
  ])('says of %s', async (_, content, code, message) => {
    const file = join(temporaryDirectory(), 'audit.jsonl');
    writeFileSync(file, content);
    expect(await runProgram(['audit', 'verify', file])).toMatchObject({ code, stdout: expect.stringMatching(message) });
  });

  it.each([
    [['/no/such/file'], /cannot read the audit log "\/no\/such\/file".*\[unreadable_file\]/],
    [['x', '--head', '12'], /--head "12" is not SEQ:HASH, nor a file \[bad_flag\]/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runProgram(['audit', 'verify', ...args]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

function readyUrl(url: string): string {
  return url.replace(/^ws(.*)\/v1\/stream$/, 'http$1/readyz');
}

async function startNode(): Promise<Started> {
  return await start(['--role', 'inference', '--node-listen', '127.0.0.1:0', '--slots', '3']);
}

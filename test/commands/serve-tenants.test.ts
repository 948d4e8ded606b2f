import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { bin } from '../kit/program.ts';
import { headersOf } from '../kit/server/callers.ts';
import { connect, refusedUpgrade } from '../kit/server/client.ts';
import { apiToken } from '../kit/server/tenants.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

describe('speechfb token new', () => {
  it('shows a token and the line that the file takes, for a server that then knows it, until the line is gone', async () => {
    const { stdout } = await speechfb('token', 'new', '--tenant', 'school-a');
    const [token = '', line = ''] = stdout.split('\n');
    // The secret is what follows the identifier, all of it: it may have underscores of its own.
    const secret = token.slice('sfb_0123456789ab_'.length);
    expect(secret).toHaveLength(43);
    expect(line).not.toContain(secret);
    const file = join(temporaryDirectory(), 'tenants.yaml');
    writeFileSync(file, tenants(`[${line.slice(2)}]`));
    const { url, reload } = await start(file);
    const headers = { authorization: `Bearer ${token}` };
    (await connect(url, { headers })).cut();

    writeFileSync(file, 'kind: Tenants\nspec: { tenants: [{ nam: school-a }] }\n');
    expect(await reload()).toMatch(/changed tenants' file cannot be used: the old stays/);
    (await connect(url, { headers })).cut();

    writeFileSync(file, tenants('[]'));
    expect(await reload()).toMatch(/took up the changed tenants' file/);
    expect(await refusedUpgrade(url, { headers })).toMatchObject({ status: 401 });
  });

  it('is known to all gateways of a server when the file changes, and to none when its line is gone', async () => {
    const [old, fresh] = [await apiToken('0123456789a0'), await apiToken('0123456789a1')];
    const file = join(temporaryDirectory(), 'tenants.yaml');
    writeFileSync(file, tenants(JSON.stringify([old.entry])));
    const { url, reload } = await start(file, 2);
    /** How four callers in turn are received, who come to both gateways. */
    const callers = async (caller: { token: string }): Promise<string[]> => {
      const clients = [];
      for (let one = 0; one < 4; one += 1) clients.push(await connect(url, headersOf(caller)).catch(() => undefined));
      for (const client of clients) client?.cut();
      return clients.map((client) => (client ? 'in' : 'refused'));
    };
    const all = (how: string) => Array(4).fill(how);
    expect(await callers(old)).toEqual(all('in'));
    expect(await callers(fresh)).toEqual(all('refused'));
    writeFileSync(file, tenants(JSON.stringify([fresh.entry])));
    expect(await reload()).toMatch(/took up the changed tenants' file/);
    await expect.poll(() => callers(fresh)).toEqual(all('in'));
    await expect.poll(() => callers(old)).toEqual(all('refused'));
  });

  it.each([
    ['a tenant that has no such name', ['--tenant', 'School A'], /--tenant "School A" is no name of a tenant/],
    ['an end that is no time', ['--tenant', 'a', '--expires', 'tomorrow'], /--expires "tomorrow" is no time such as/],
    ['nobody', [], /--tenant/],
  ])('refuses %s', async (_, flags, problem) => {
    const { status, stderr } = await speechfb('token', 'new', ...flags);
    expect([status, stderr]).toEqual([2, expect.stringMatching(problem)]);
  });
});

describe('speechfb serve --tenants', () => {
  it('says where a file is wrong, and starts nothing', async () => {
    const file = join(temporaryDirectory(), 'tenants.yaml');
    writeFileSync(file, 'kind: Tenants\nspec:\n  tenants:\n    - name: School\n');
    const { status, stderr } = await speechfb('serve', '--port', '0', '--gateways', '1', '--tenants', file);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/tenants\.yaml:4:13: spec\.tenants\.0\.name: "School" is not/),
    ]);
  });
});

function tenants(tokens: string): string {
  return `kind: Tenants\nspec:\n  tenants:\n    - name: school-a\n      tokens: ${tokens}\n`;
}

/** A server without a terminal; `reload` tells it to look at its files, and gives what it says then. */
async function start(file: string, gateways = 1): Promise<{ url: string; reload(): Promise<string> }> {
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--gateways', `${gateways}`, '--tenants', file]);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  let log = '';
  child.stderr.on('data', (text) => {
    log += text;
  });
  const url = /ws:\S+/.exec(await lineOf(child))![0];
  return {
    url,
    async reload() {
      const before = log.length;
      child.kill('SIGHUP');
      await expect.poll(() => log.slice(before)).toMatch(/tenants' file/);
      return log.slice(before);
    },
  };
}

async function lineOf(child: ChildProcess): Promise<string> {
  let out = '';
  for await (const text of child.stdout!) {
    out += text;
    if (out.includes('\n')) return out;
  }
  throw new Error(`the server said only: ${out}`);
}

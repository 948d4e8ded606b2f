import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { shippedRules } from '../kit/alert-rules.ts';
import { freePort } from '../kit/free-port.ts';
import { bin } from '../kit/program.ts';
import type { TestClient } from '../kit/server/client.ts';
import { sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { policyText } from '../kit/server/served-policy.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = 'docs/runbooks';
const names = readdirSync(folder)
  .filter((file) => file !== 'README.md')
  .map((file) => basename(file, '.md'));
const pageOf = (name: string) => readFileSync(join(folder, `${name}.md`), 'utf8');
const alerts = shippedRules().flatMap(({ alert, labels, annotations }) =>
  alert === undefined ? [] : [{ alert, severity: labels?.severity, page: annotations?.runbook_url }],
);
const waking = [...new Set(alerts.filter(({ severity }) => severity === 'page').map(({ alert }) => alert))];

describe('alert, runbook and load test belong together', () => {
  it('each page is that of an alert, and in the list of all', () => {
    expect(new Set(alerts.map(({ alert }) => alert))).toEqual(new Set(names));
    for (const { alert, page } of alerts) expect(page).toBe(`${folder}/${alert}.md`);
    const list = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const { alert, severity } of alerts) {
      const row = list.split('\n').find((line) => line.startsWith('|') && line.includes(`[${alert}](${alert}.md)`));
      expect(row?.split('|')[2], alert).toContain(severity);
    }
  });

  it.each(waking)('%s, which wakes somebody, is played by a load test that ships', (alert) => {
    const [, name = '', file = ''] = /^\*\*Played by\.\*\* \[([\w-]+)\]\((\S+)\)/m.exec(pageOf(alert)) ?? [];
    const path = join(folder, file);
    expect(existsSync(path), `${alert}: ${path}`).toBe(true);
    const { kind, metadata } = parse(readFileSync(path, 'utf8'));
    expect({ kind, name: metadata.name }).toEqual({ kind: 'LoadScenario', name });
  });

  it.each(waking)('%s says by commands where to look', (alert) => {
    const [look = ''] = /\*\*Look\.\*\*.*?(?=\*\*Do\.\*\*)/s.exec(pageOf(alert)) ?? [];
    expect(commandsIn(look)).not.toHaveLength(0);
  });
});

describe('the commands of all runbooks, at a gateway and its node', () => {
  const service = new Service();
  beforeAll(() => service.start(), 120_000);
  afterAll(() => service.stop());

  const drains = names.filter((name) => pageOf(name).includes('admin drain'));
  const homeless = 'SpeechfbNoNode';

  // Pages that say the same need it tried once.
  const tried = new Set<string>();
  it.each(names.filter((name) => name !== homeless && !drains.includes(name)))('%s', async (name) => {
    const commands = commandsIn(pageOf(name)).filter((command) => !tried.has(command));
    for (const command of commands) await service.succeeds(command);
    for (const command of commands) tried.add(command);
  });

  it(`${homeless} while there is none: they show it, and bring one back`, async () => {
    await service.loseNode();
    const said: string[] = [];
    for (const command of commandsIn(pageOf(homeless))) {
      if (command.endsWith(' &')) await service.startNode(command);
      else said.push(await service.succeeds(command));
    }
    expect(said.join('')).toMatch(/no answer: the node is down[\s\S]*^speechfb_trunks 0$[\s\S]*not ready/m);
    await service.becomesReady(true);
  });

  it.each(drains)('%s, and nobody is sent away by that', async (name) => {
    await service.hasReader();
    const said: string[] = [];
    for (const command of commandsIn(pageOf(name))) said.push(await service.succeeds(command));
    expect(said.join('')).toMatch(/^emptying {2}1 of 1 left open/m);
    await service.succeeds(`npx speechfb admin drain ${service.plane} --cancel --reason "it was a test"`);
    await service.becomesReady(true);
  });

  it.each([
    ['a program that is not there', 'speechfb-does-not-exist --now'],
    ['a verb that is not there', 'npx speechfb mend everything'],
    ['a metric that is not there', "curl -s http://127.0.0.1:8090/metrics | grep -E '^speechfb_happiness'"],
    ['a server that is not there', 'curl -s http://127.0.0.1:1/metrics | cat'],
  ])('%s would be noticed', async (_, command) => {
    await expect(service.succeeds(command)).rejects.toThrow(/exit/);
  });
});

/** A canary for whom nobody comes. */
const canary = `  canary:
    name: tried
    from: now
    to: next
    target: 99%
    share: 0.1%
    bad: { finalAfter: 10m }
    rollback: { burn: 2, for: 10m, every: 10s, mode: window }
    minimum: 5
`;

/** The lines of every block of shell in a page. */
function commandsIn(page: string): string[] {
  return [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) => block!.trimEnd().split('\n'));
}

/** A gateway with an admin plane, its node, and somebody who reads. */
class Service {
  readonly #children: ChildProcess[] = [];
  readonly #directory = temporaryDirectory();
  readonly #clip = readClip('leader');
  /** The ports that runbooks name, and those that are meant. */
  readonly #ports = new Map<string, number>();
  #node: ChildProcess | undefined;
  #url = '';
  #reader: TestClient | undefined;

  async start(): Promise<void> {
    for (const port of ['8090', '8091', '8093', '8095']) this.#ports.set(port, await freePort());
    writeFileSync(join(this.#directory, 'admin-tokens'), 'anna operate 0123456789abcdef\n');
    await this.startNode(
      'npx speechfb serve --role inference --node-listen 127.0.0.1:8091 --http-listen 127.0.0.1:8093 &',
    );
    const plane = '--admin-listen 127.0.0.1:8095 --admin-token-file admin-tokens --audit-log audit.jsonl';
    writeFileSync(join(this.#directory, 'policy.yaml'), policyText({ canary }));
    // Whoever reads says nothing for as long as the commands take.
    const limits = '--limit idle_timeout_ms=600000';
    const { url } = await this.#serve(
      `serve --role gateway --gateways 1 --port 8090 --node 127.0.0.1:8091 --routing policy.yaml ${plane} ${limits}`,
    );
    this.#url = url;
    await this.becomesReady(true);
    await this.hasReader();
  }

  /** The flags that lead to the admin plane. */
  get plane(): string {
    return '--url http://127.0.0.1:8095 --token-file admin-tokens';
  }

  /** Runs a line as an operator would, at this service's ports; gives what it wrote. */
  async succeeds(command: string): Promise<string> {
    const npx = `npx() { [ "$1" = speechfb ] || return 127; shift; '${process.execPath}' '${bin}' "$@"; }`;
    const script = `set -eu -o pipefail\n${npx}\n${this.#here(command)}`;
    const child = spawn('bash', ['-c', script], { cwd: this.#directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => {
        output[stream] += chunk;
      });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${output.stdout}${output.stderr}`);
    return output.stdout;
  }

  /** Runs a line that goes on in the background, until that is ready. */
  async startNode(command: string): Promise<void> {
    const [, args = ''] = /^npx speechfb (serve --role inference .*) &$/.exec(command) ?? [];
    this.#node = (await this.#serve(args)).child;
  }

  /** The node is killed, and the gateway knows it. */
  async loseNode(): Promise<void> {
    const exited = once(this.#node!, 'exit');
    this.#node!.kill('SIGKILL');
    await exited;
    await this.becomesReady(false);
  }

  async becomesReady(isReady: boolean): Promise<void> {
    const url = new URL('/readyz', this.#url.replace('ws', 'http'));
    await vi.waitFor(async () => expect((await fetch(url)).ok).toBe(isReady), { timeout: 60_000, interval: 50 });
  }

  /** Somebody reads, and has heard of a sound. */
  async hasReader(): Promise<void> {
    if (this.#reader && this.#reader.of('error').length === 0) return;
    this.#reader = await startReading(this.#url, this.#clip);
    sendClip(this.#reader, this.#clip, 0, 60);
    await this.#reader.until('phoneme_feedback');
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  }

  /** A process of `serve`, when it says that it is ready. */
  async #serve(args: string): Promise<{ child: ChildProcess; url: string }> {
    const child = spawn(process.execPath, [bin, ...this.#here(args).split(' ')], {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let [stdout, stderr] = ['', ''];
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    for await (const chunk of child.stdout) {
      stdout += chunk;
      const [, url] = /ready at (\S+)/.exec(stdout) ?? [];
      if (url !== undefined) return { child, url };
    }
    throw new Error(`it ended before it was ready: ${stderr}`);
  }

  #here(text: string): string {
    return text.replace(/(?<=127\.0\.0\.1:|--port )80\d\d\b/g, (port) => String(this.#ports.get(port) ?? port));
  }
}

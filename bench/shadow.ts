import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

// What does a shadow report say of real recognisers, on the recordings that ship?
//   npm run bench shadow -- --python ~/.cache/pocketsphinx/bin/python --seconds 240
// PocketSphinx runs in two processes of its own (bench/shadow/recogniser.py says how it is installed) behind backends of kind
// http-batch. Twice a server listens to a few learners who read the recordings: once its own model writes, and the
// recogniser hears all of it unseen; once the recogniser's search in three passes writes, and its first pass alone hears
// unseen. Prints both reports. With --log DIR both shadow logs stay there. A report whose candidate is worse is no failure
// of this program: it exits 0 once both are there.
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    seconds: { type: 'string', default: '240' },
    learners: { type: 'string', default: '2' },
    log: { type: 'string' },
  },
});
const work = values.log ?? mkdtempSync(join(tmpdir(), 'speechfb-shadow-'));
const children: ChildProcess[] = [];
try {
  const urls = { full: await recogniser('full'), 'one-pass': await recogniser('one-pass') };
  for (const [served, shadow] of [
    ['own', 'full'],
    ['full', 'one-pass'],
  ] as const) {
    const name = `${served}-beside-${shadow}`;
    const log = join(work, `${name}.jsonl`);
    if (existsSync(log)) throw new Error(`${log} is there already`);
    writeFileSync(join(work, `${name}.policy.json`), JSON.stringify(policyOf(urls, served, shadow)));
    const server = start(process.execPath, [
      ...['bin/speechfb', 'serve', '--port', '0', '--gateways', '1', '--log-level', 'warn'],
      // A recogniser of whole utterances on a busy machine may take its time: nobody else shall write instead.
      ...['--limit', 'transcript_wait_ms=15000'],
      ...['--routing', join(work, `${name}.policy.json`), '--shadow-log', log],
    ]);
    const url = await firstLine(server, /ws:\/\/\S+/);
    await read(url, name);
    server.kill('SIGTERM');
    await once(server, 'exit');
    const { stdout } = await run(['bin/speechfb', 'shadow', 'report', log]);
    process.stdout.write(`${stdout}\n`);
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  if (values.log === undefined) rmSync(work, { recursive: true, force: true });
}

type Urls = Record<'full' | 'one-pass', string>;

async function recogniser(search: keyof Urls): Promise<string> {
  const child = start(values.python, ['bench/shadow/recogniser.py', search]);
  return `http://127.0.0.1:${await firstLine(child, /^\d+$/)}`;
}

/** Prices are what such recognisers may cost, none is a quotation. */
function policyOf(urls: Urls, served: string, shadow: string) {
  const backends = [
    { name: 'own', kind: 'local', languages: ['en'], price: '$0.0004/min' },
    { name: 'full', kind: 'http-batch', url: urls.full, model: 'full', price: '$0.002/min' },
    { name: 'one-pass', kind: 'http-batch', url: urls['one-pass'], model: 'one-pass', price: '$0.001/min' },
  ];
  const rules = [
    { name: 'English', when: { language: ['en'] }, to: { [served]: '100%' } },
    { name: 'others', to: { full: '100%' } },
  ];
  const unseen = { to: shadow, share: '100%', most: '$100/h', maxSessions: 1000 };
  return {
    apiVersion: 'speechfb.dev/v1alpha1',
    kind: 'RoutingPolicy',
    metadata: { name: 'two-recognisers' },
    spec: { backends, rules, shadow: unseen },
  };
}

/** Learners read to the server, each some of the recordings and then another in its place. */
async function read(url: string, name: string): Promise<void> {
  const scenario = {
    apiVersion: 'speechfb.dev/v1alpha1',
    kind: 'LoadScenario',
    metadata: { name, description: 'Learners read the recordings to two recognisers.' },
    spec: {
      target: { url },
      learners: { clips: resolve('fixtures/audio/manifest.jsonl'), pause: '2s..4s' },
      load: { learners: Number(values.learners), ramp: '5s', session: '15s..30s' },
      duration: `${values.seconds}s`,
      drain: '20s',
      seed: 7,
      objectives: ['rate(violations) == 0'],
    },
  };
  const file = join(work, `${name}.scenario.json`);
  writeFileSync(file, JSON.stringify(scenario));
  const { code, stderr } = await run(['bin/speechfb', 'loadtest', file]);
  if (![0, 98, 99].includes(code)) throw new Error(`the load test ended with ${code}: ${stderr}`);
}

function start(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** What a program says first on a line of its own that has it. */
async function firstLine(child: ChildProcess, wanted: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = wanted.exec(line)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error(`${child.spawnfile} ended before it was ready`);
}

async function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  for (const one of ['stdout', 'stderr'] as const) child[one].on('data', (bytes) => (said[one] += bytes));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, ...said };
}

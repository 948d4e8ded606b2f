import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const root = resolve(import.meta.dirname, '../..');
const script = join(root, 'examples/python/node_client.py');
const python = ['python3-grpc', '/usr/bin/python3', 'python3'].find(
  (candidate) => spawnSync(candidate, ['-c', 'import grpc, grpc_tools.protoc']).status === 0,
);
if (!python) console.warn('SKIPPED: no client in Python spoke to a node: there is no grpcio with grpcio-tools (PyPI)');

it('a Python with grpcio to try is there on CI', () => {
  if (process.env.CI) expect(python).toBeDefined();
});

describe.skipIf(!python)('a node, spoken to by Python and nothing but the .proto', () => {
  let node: ChildProcess;
  let address = '';
  let stubs = '';
  beforeAll(async () => {
    stubs = temporaryDirectory();
    const out = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
    const made = ['-m', 'grpc_tools.protoc', '-I', 'proto', ...out, 'proto/speechfb/v1/inference.proto'];
    await promisify(execFile)(python!, made, { cwd: root });
    const args = [
      'serve',
      '--role',
      'inference',
      '--node-listen',
      '127.0.0.1:0',
      '--slots',
      '1',
      '--log-level',
      'silent',
    ];
    node = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [ready] = await once(createInterface(node.stdout!), 'line');
    address = / at (\S+) /.exec(String(ready))![1]!;
  });
  afterAll(() => void node?.kill('SIGKILL'));

  const run = (...args: string[]) =>
    promisify(execFile)(python!, [script, ...args, '--node', address], { env: { ...process.env, PYTHONPATH: stubs } });

  it('leases a slot, plays a clip, and prints the phones and the final', async () => {
    const { stdout } = await run(join(root, 'fixtures/audio/leader.wav'), '--words', ...leader);
    expect(stdout).toMatch(/^node: en-learner \S+, 1 slots, minor \d+\nlease: \d+\n/);
    const phones = stdout.split('\n').flatMap((line) => /^ +[\d.]+ s {2}(.*)$/.exec(line)?.[1]?.split('  ') ?? []);
    expect(phones.length).toBeGreaterThan(20);
    expect(phones.slice(0, 3).map((phone) => phone.split(' ')[0])).toEqual(['DH', 'AH', 'K']);
    const words = stdout.match(/^word: \S+ \d+ \(.*\)$/gm) ?? [];
    expect(words.map((word) => word.split(' ')[1])).toEqual(leader.map((word) => word.split(':')[0]));
    expect(Number(/^final: pronunciation (\d+)$/m.exec(stdout)![1])).toBeGreaterThan(70);
  });

  it.each([
    [['The:DH XX'], /the utterance failed: .*XX.* \[invalid_reference\]/],
    [['The'], /"The" is not "word:PH ON ES, OTHER PH ON ES"/],
  ])('is told why not, of %j', async (words, message) => {
    await expect(run(join(root, 'fixtures/audio/leader.wav'), '--words', ...words)).rejects.toThrow(message);
  });
});

const leader = [
  'The:DH AH, DH IY',
  'conference:K AA N F ER AH N S',
  'will:W IH L, W AH L',
  'begin:B IH G IH N',
  'when:W EH N',
  'the:DH AH, DH IY',
  'leader:L IY D ER',
  'arrives:ER AY V Z',
];

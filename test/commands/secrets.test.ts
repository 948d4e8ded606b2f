import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Output, speechfb } from '../kit/command.ts';
import { startFakeServer } from '../kit/fake-server.ts';
import { runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/** Planted where a key, a token or a password may stand; found in nothing that is written. */
const key = 'sk-plantedkey123';
const password = 'plantedpassword456';
const token = 'plantedtoken789planted';
const planted = [key, password, token, Buffer.from(`anna:${password}`).toString('base64')];

const scratch = temporaryDirectory();
const tokenFile = join(scratch, 'token');
writeFileSync(tokenFile, `${token}\n`);

beforeAll(() => {
  Object.assign(process.env, { SPEECHFB_TEST_KEY: key, SPEECHFB_TEST_TOKEN: token, SPEECHFB_TEST_PASSWORD: password });
});
afterAll(() => {
  for (const name of ['KEY', 'TOKEN', 'PASSWORD']) delete process.env[`SPEECHFB_TEST_${name}`];
});

describe('a secret in the URL of a load test', () => {
  it('is sent, pushed with, and found in no output and no file of the run', async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    const receiver = await http((_, response) => response.writeHead(200).end());
    const out = join(scratch, 'run');
    const url = `${server.url}?api_key=${key}`;
    const push = receiver.url.replace('//', `//anna:${password}@`);
    const file = scenario(`{ url: "${url}", tokenFile: ${tokenFile} }`);
    const ran = await runProgram(['loadtest', file, '--out', out, '--push-prometheus', push, '--otlp', push]);
    expect(ran.stdout).toContain('api_key=***');
    expect(receiver.authorizations).toEqual(Array(2).fill(`Basic ${planted.at(-1)}`));
    const shown: Output[] = [];
    for (const format of ['table', 'json', 'markdown', 'junit', 'prometheus'])
      shown.push(await speechfb('report', out, '--format', format));
    const files = readdirSync(out).map((name) => contentOf(join(out, name)));
    expect(files.length).toBeGreaterThan(5);
    expect(leaks([textOf(ran), ...shown.map(textOf), ...files])).toEqual([]);
  });

  it.each([
    ['the preview', []],
    ['the preview as JSON', ['--json']],
  ])('is not in %s', async (_, flags) => {
    const file = scenario(`{ url: "ws://127.0.0.1:9/v1/stream?api_key=${key}&${key}", tokenFile: ${tokenFile} }`);
    const ran = await speechfb('loadtest', file, '--validate', ...flags);
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('?api_key=***&***') });
    expect(leaks([textOf(ran)])).toEqual([]);
  });

  it('is read from the environment, and shown as it was written', async () => {
    const asked: string[] = [];
    const receiver = await http((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      // As careless servers do.
      response.writeHead(401).end(`no such key: ${request.url}, ${request.headers.authorization}`);
    });
    const url = `${receiver.url.replace('http', 'ws')}/v1/stream?api_key=\${env:SPEECHFB_TEST_KEY}`;
    const ran = await speechfb('loadtest', scenario(`{ url: "${url}", token: "\${env:SPEECHFB_TEST_TOKEN}" }`));
    expect(asked).toEqual([`/v1/stream?api_key=${key} Bearer ${token}`]);
    expect(ran).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('api_key=${env:SPEECHFB_TEST_KEY} refuses us'),
    });
    expect(leaks([textOf(ran)])).toEqual([]);
  });
});

describe('a secret in the URL or the token file of a stream', () => {
  const careless = async (body: (quoted: string) => string, status = 401) => {
    const server = await http((request, response) => {
      response.writeHead(status).end(body(`${request.url}, ${request.headers.authorization}`));
    });
    return `${server.url.replace('http', 'ws')}/v1/stream?api_key=${key}`;
  };

  it.each([401, 403, 503])('is in no word of a server that refuses with %d and quotes it', async (status) => {
    const url = await careless((quoted) => `no such key: ${quoted}`, status);
    const flags = ['--text', 'The', '--url', url, '--token-file', tokenFile];
    const ran = await speechfb('stream', 'fixtures/audio/leader.wav', ...flags);
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining('no such key: /v1/stream?api_key=***') });
    expect(leaks([textOf(ran)])).toEqual([]);
  });
});

describe('no secret is in what is said of', () => {
  it.each<[string, string, string]>([
    ['a server that is not there', `{ url: "ws://127.0.0.1:9/v1?api_key=${key}" }`, 'nothing to load at'],
    ['a URL with a password', `{ url: "ws://anna:${password}@127.0.0.1:9" }`, 'has a user name or password'],
    ['a URL of another kind', `{ url: "http://anna:${password}@h/?k=${key}" }`, 'is not a WebSocket URL'],
    ['what is no URL', `{ url: "anna:${password}@h?k=${key}" }`, 'is not a WebSocket URL'],
    ['a password that breaks its URL', `{ url: "ws://anna:${password}#/x@h" }`, 'is not a WebSocket URL'],
    ['a key behind #', `{ url: "ws://127.0.0.1:9/v1#${key}" }`, 'has a part behind #'],
    ['a token in the scenario', `{ url: "ws://h", token: ${token} }`, '9:35: spec.target.token: is a secret'],
    [
      'an unset variable',
      '{ url: "ws://h?k=${env:SPEECHFB_UNSET}" }',
      '9:18: spec.target.url: the environment variable',
    ],
    ["a shell's variable", '{ url: "ws://h?k=${HOST}" }', 'write ${env:HOST}'],
    ['a URL that is a list', `{ url: ["ws://h?k=${key}"] }`, 'is not a ws://, wss://, grpc:// or grpcs:// URL'],
  ])('%s', async (_, target, sentence) => {
    const ran = await speechfb('loadtest', scenario(target));
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
    expect(leaks([textOf(ran)])).toEqual([]);
  });

  it.each<[string, string[], string]>([
    ['--url', ['--url', `ws://anna:${password}@h`], '--url: the URL has a user name'],
    ['--push-prometheus', ['--push-prometheus', `ftp://anna:${password}@h`], '--push-prometheus: "ftp://***@h" is not'],
    ['--otlp', ['--otlp', `anna:${password}@h`], '--otlp: "***@h" is not an HTTP URL'],
  ])('a bad %s', async (_, flags, sentence) => {
    const ran = await speechfb('loadtest', scenario(`{ url: "ws://h?k=${key}" }`), ...flags);
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining(sentence) });
    expect(leaks([textOf(ran)])).toEqual([]);
  });

  it('a Prometheus that refuses, and quotes what it got', async () => {
    const receiver = await http((request, response) => {
      response.writeHead(401).end(`${request.headers.authorization} ${password}`);
    });
    const level = resolve('slo/live-feedback.yaml');
    const url = receiver.url.replace('//', '//anna:${env:SPEECHFB_TEST_PASSWORD}@');
    const ran = await speechfb('slo', 'evaluate', level, '--prometheus', url);
    expect(receiver.authorizations[0]).toBe(`Basic ${planted.at(-1)}`);
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining('refused') });
    expect(leaks([textOf(ran)])).toEqual([]);
  });
});

let written = 0;

function scenario(target: string): string {
  const file = join(scratch, `scenario-${written++}.yaml`);
  const text = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: key-in-url }
spec:
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')} }
  load: { learners: 2 }
  duration: 2s
  objectives: ["p95(feedback_latency) < 10s"]
  target: ${target}
`;
  writeFileSync(file, text);
  return file;
}

/** An HTTP server on loopback that notes what credentials it gets. */
async function http(listener: RequestListener) {
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, authorizations };
}

function contentOf(file: string): string {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

function textOf({ stdout, stderr }: Output): string {
  return `${stdout}\n${stderr}`;
}

function leaks(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split('\n')).filter((line) => planted.some((secret) => line.includes(secret)));
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startOfrepServer } from '../kit/ofrep-server.ts';
import { runProgram } from '../kit/program.ts';
import {
  policyText,
  readAloud,
  readOnce,
  replaceFile,
  type ServedPolicy,
  servePolicy,
} from '../kit/server/served-policy.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/** A server looks at its file each second, and a busy machine has seconds of its own. */
const patient = { timeout: 60_000, interval: 50 };

/** Judged by words and errors, not by time, so that it is the same on a busy machine. */
const canaryNamed = (name: string): string => `  canary:
    name: ${name}
    from: now
    to: next
    target: 99%
    share: 50%
    bad: { finalAfter: 10m, werAbove: 50% }
    rollback: { burn: 2, for: 2s, every: 1s, mode: window }
    minimum: 5
`;

/** A file of flagd with two policies, of which one is in force. */
const flagsText = (inForce: string, to = 'next'): string => {
  const variants = { plain: parse(policyText()), other: parse(policyText({ to })) };
  return JSON.stringify({ flags: { routing: { state: 'ENABLED', variants, defaultVariant: inForce } } });
};

describe('a policy that is edited while a server runs', () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'policy.yaml');
  const audit = join(directory, 'audit.jsonl');
  let server: ServedPolicy;

  beforeAll(async () => {
    writeFileSync(file, policyText());
    const tokens = join(directory, 'tokens');
    writeFileSync(tokens, 'anna operate 0123456789abcdef\n');
    const plane = ['--admin-listen', '127.0.0.1:0', '--admin-token-file', tokens, '--audit-log', audit];
    server = await servePolicy(1, '--routing', file, ...plane);
  });

  afterAll(() => server[Symbol.asyncDispose]());

  const read = () => readOnce(server.url);
  const entries = () => {
    const lines = readFileSync(audit, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  };
  /** Resolves with what the log says from the edit on, once it says this. */
  const edit = async (text: string, sentence: RegExp): Promise<() => string> => {
    const before = server.said().length;
    replaceFile(file, text);
    const since = () => server.said().slice(before);
    await expect.poll(since, patient).toMatch(sentence);
    return since;
  };

  it.each([
    ['writes other words', ', says: [{ at: 0ms, text: something else was said here }]', 'wrong-words', 'wrong'],
    ['refuses each session', ', faults: [{ kind: refuse }]', 'refusing', 'elsewhere'],
  ])('a canary that %s is given sessions, burns, and is rolled back', async (_, next, name, outcome) => {
    const since = await edit(policyText({ next, canary: canaryNamed(name) }), /another routing policy is in force/);
    const began = new Set<string | undefined>();
    while (!since().includes('a canary burns and is rolled back')) began.add((await read()).began);
    expect([...began].sort()).toEqual(['next', 'now']);
    await expect.poll(() => since().split('another routing policy is in force').length, patient).toBe(3);
    for (let at = 0; at < 10; at++) expect(await read()).toEqual({ began: 'now', backend: 'now', text: readAloud });
    const [change, rollback] = entries().slice(-2);
    expect(change).toMatchObject({ actor: 'file', action: 'routing.change', reason: `${file} has changed` });
    expect(change.diff.changes).toContainEqual({ path: 'spec.canary.share', to: '50%' });
    expect(rollback).toMatchObject({
      actor: 'speechfb',
      action: 'canary.rollback',
      target: name,
      reason: expect.stringMatching(/^the canary burned above 2 over 2 s/),
    });
    expect(rollback.diff.changes).toContainEqual({ path: 'spec.canary.name', from: name });
    expect(rollback.diff.figures.canaryBurn).toBeGreaterThan(2);
    expect(since()).toContain(rollback.reason);
    const metrics = await (await fetch(server.url.replace(/^ws(.*)\/v1\/stream$/, 'http$1/metrics'))).text();
    expect(metrics).toContain(`speechfb_canary_rollbacks_total{canary="${name}"} 1\n`);
    const labels = `canary="${name}",variant="canary",outcome="${outcome}"`;
    expect(metrics).toMatch(new RegExp(`speechfb_canary_utterances_total{${labels}} [1-9]`));
    expect(metrics).toMatch(new RegExp(`speechfb_canary_sessions_total{canary="${name}",variant="baseline"} [1-9]`));
  });

  it.each([
    ['is no YAML', 'kind: [', /policy\.yaml:1:\d+: .*the old stays/],
    [
      'sends sessions to nobody',
      policyText({ to: 'nwo' }),
      /policy\.yaml:9:\d+: .*\\"nwo\\" is no backend.*the old stays/,
    ],
  ])('stays as it is when the file %s, which is said at its line', async (_, text, problem) => {
    await edit(text, problem);
    expect((await read()).backend).toBe('now');
  });

  it('stays without a canary that was rolled back', async () => {
    const next = ', says: [{ at: 0ms, text: nothing }]';
    await edit(policyText({ next, canary: canaryNamed('wrong-words') }), /another routing policy is in force/);
    expect(entries().at(-1).diff).toMatchObject({ withdrawn_canary: 'wrong-words' });
    for (let at = 0; at < 10; at++) expect((await read()).began).toBe('now');
  });

  it('may be a flag of flagd, whose variants are checked before one is in force', async () => {
    await edit(flagsText('other'), /another routing policy is in force/);
    expect((await read()).began).toBe('next');
    await edit(flagsText('plain', 'nwo'), /\\"nwo\\" is no backend.*the old stays/);
    expect((await read()).began).toBe('next');
    await edit(flagsText('plain'), /another routing policy is in force/);
    expect((await read()).began).toBe('now');
    expect(entries().at(-1)).toMatchObject({ actor: 'file', diff: { changes: expect.any(Array) } });
  });

  it('is written down in a log that is intact', async () => {
    const { code, stdout } = await runProgram(['audit', 'verify', audit]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('intact')]);
  });
});

it.concurrent('the last policy of a server of flags stays while that is gone, and the next is taken when it is back', async ({
  expect,
}) => {
  const flagsOf = (to: string) => ({ routing: parse(policyText({ to })) });
  await using flags = await startOfrepServer(flagsOf('now'));
  await using server = await servePolicy(1, '--flags', flags.url, '--flags-every', '1s');
  expect((await readOnce(server.url)).began).toBe('now');
  flags.manner = 'gone';
  await expect.poll(server.said, patient).toContain('the server of flags cannot be asked: the last good policy stays');
  expect((await readOnce(server.url)).began).toBe('now');
  Object.assign(flags, { manner: 'well', flags: flagsOf('next') });
  await expect.poll(server.said, patient).toMatch(/another routing policy is in force/);
  expect(server.said()).toContain('the server of flags answers again');
  expect((await readOnce(server.url)).began).toBe('next');
}, 120_000);

it.concurrent('each of several gateways takes the changed policy up', async ({ expect }) => {
  const file = join(temporaryDirectory(), 'policy.yaml');
  writeFileSync(file, policyText());
  await using server = await servePolicy(2, '--routing', file);
  expect((await readOnce(server.url)).began).toBe('now');
  replaceFile(file, policyText({ to: 'next' }));
  await expect.poll(() => server.said().split('another routing policy is in force').length, patient).toBe(3);
  // Connections go to either in turn.
  for (let at = 0; at < 4; at++) expect((await readOnce(server.url)).began).toBe('next');
});

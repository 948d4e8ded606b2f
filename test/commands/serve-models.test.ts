import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelVersions, writeModel } from '../kit/model-versions.ts';
import { runProgram } from '../kit/program.ts';
import { connect } from '../kit/server/client.ts';
import { finalOf, lastFrame, sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { replaceFile, type ServedPolicy, servePolicy } from '../kit/server/served-policy.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/** A server looks at its file each second, and a busy machine has seconds of its own. */
const patient = { timeout: 60_000, interval: 50 };
const clip = readClip('leader');
const said = 'The conference will begin when the leader arrives';

const directory = temporaryDirectory();
const versions = {
  ...modelVersions,
  hurried: (model: object) => ({ ...model, sample_rate_hz: 8000, version: '9.2.0' }),
  speechless: (model: { phones: string[] }) => ({ ...model, phones: model.phones.slice(0, -2), version: '9.3.0' }),
  twin: (model: object) => model,
  rubbish: () => '{"name":',
  deaf: (model: object) => ({ ...model, onnx: 'model.json', onnx_cpu: 'model.json', version: '9.4.0' }),
};

/** The own model and, where one is named, another version of it; `more` are further parts of the policy. */
function policy({ to = 'own: 100%', model = 'float', more = '' } = {}): string {
  return `kind: RoutingPolicy
metadata: { name: versions }
spec:
  backends:
    - { name: own, kind: local, languages: [en], price: $0.0004/min }
    - { name: others, kind: scripted, price: $0.006/min }
${model === '' ? '' : `    - { name: next, kind: local, model: ${model}, languages: [en], price: $0.0008/min, fallback: own }\n`}  rules:
    - { name: english, when: { language: [en] }, to: { ${to} } }
    - { name: rest, to: { others: 100% } }
${more}`;
}

const canary = `  canary:
    name: worse
    from: own
    to: next
    target: 99%
    share: 50%
    bad: { finalAfter: 10m, werAbove: 50% }
    rollback: { burn: 2, for: 3s, every: 1s, mode: window }
    minimum: 4
`;

describe('a server with several versions of its model', () => {
  const file = join(directory, 'policy.yaml');
  const audit = join(directory, 'audit.jsonl');
  const shadowLog = join(directory, 'shadow.jsonl');
  let server: ServedPolicy;

  beforeAll(async () => {
    for (const [name, change] of Object.entries(versions)) writeModel(directory, name, change as () => object);
    writeFileSync(file, policy({ model: '' }));
    const tokens = join(directory, 'tokens');
    writeFileSync(tokens, 'anna operate 0123456789abcdef\n');
    const plane = ['--admin-listen', '127.0.0.1:0', '--admin-token-file', tokens, '--audit-log', audit];
    server = await servePolicy(1, '--routing', file, '--shadow-log', shadowLog, ...plane);
  });

  afterAll(() => server[Symbol.asyncDispose]());

  /** Resolves when the log says this, from the edit on. */
  const edit = async (text: string, sentence: RegExp): Promise<() => string> => {
    const before = server.said().length;
    replaceFile(file, text);
    const since = () => server.said().slice(before);
    await expect.poll(since, patient).toMatch(sentence);
    return since;
  };
  const inForce = /another routing policy is in force/;
  const metrics = async () => (await fetch(server.url.replace(/^ws(.*)\/v1\/stream$/, 'http$1/metrics'))).text();

  /** A learner reads: the version that ready names, who wrote the final, and what. */
  const read = async () => {
    const client = await startReading(server.url, clip);
    sendClip(client, clip, 0, lastFrame(clip));
    client.send({ type: 'close', last_seq: lastFrame(clip) });
    await client.closed;
    const { backend, text, scores } = finalOf(client.events);
    return { version: client.of('ready')[0]!.model.version, backend, text, accuracy: scores.accuracy };
  };

  it.each([
    ['no folder', 'nowhere', /there is no folder \\"nowhere\\" beside the policy, and no model of that name ships/],
    ['a folder that is no package', '.', /the folder has no model\.json/],
    ['a package that is cut off', 'rubbish', /it is not JSON/],
    ['another rate', 'hurried', /rubbish|hears 8000 Hz, and the server's own 16000 Hz|high_hz/],
    ['phones that lack some', 'speechless', /phones/],
    ['another model of the same version', 'twin', /is en-learner .* as the server's own model is: give it a version/],
    ['a file that is no network', 'deaf', /en-learner 9\.4\.0 cannot be run/],
  ])('refuses %s at its line, and goes on as before', async (_, model, reason) => {
    const since = await edit(policy({ model, to: 'own: 50%, next: 50%' }), /the old stays/);
    expect(since()).toMatch(/policy\.yaml:7:\d+: spec\.backends\.2\.model: /);
    expect(since()).toMatch(reason);
    expect(await read()).toMatchObject({ backend: 'own' });
  });

  it('scores a session by the version of its share, which ready, results and metrics name', async () => {
    const since = await edit(policy({ to: 'own: 50%, next: 50%' }), inForce);
    expect(since()).toMatch(/en-learner 9\.0\.0.*a model of a policy is ready[\s\S]*another routing policy/);
    const heard = new Map<string, Awaited<ReturnType<typeof read>>>();
    while (heard.size < 2) {
      const one = await read();
      heard.set(one.backend!, one);
    }
    expect(heard.get('next')).toMatchObject({ version: '9.0.0', text: said });
    expect(heard.get('own')!.version).not.toBe('9.0.0');
    // Two networks of one training: alike, and not the same.
    expect(Math.abs(heard.get('own')!.accuracy! - heard.get('next')!.accuracy!)).toBeLessThan(5);
    expect(await metrics()).toMatch(/speechfb_model_sessions\{model="en-learner",version="9\.0\.0"\} 0\n/);
  });

  it('lets a session keep its version whatever the policy says meanwhile, and ends what nobody uses', async () => {
    await edit(policy({ to: 'next: 100%' }), inForce);
    const first = await startReading(server.url, clip);
    sendClip(first, clip, 0, 40);
    await first.until('ack', ({ next_seq }) => next_seq === 41);
    const { session_id, resume_token, model } = first.of('ready')[0]!;
    const since = await edit(policy({ model: '' }), inForce);
    expect((await read()).version).not.toBe(model.version);
    first.cut();
    const again = await connect(server.url);
    again.send({ type: 'resume', session_id, resume_token, last_event_id: first.events.at(-1)!.event_id! });
    expect(await again.until('ready')).toMatchObject({ resumed: true, model: { version: '9.0.0' }, backend: 'next' });
    expect(since()).not.toContain('has ended');
    sendClip(again, clip, 41, lastFrame(clip));
    again.send({ type: 'close', last_seq: lastFrame(clip) });
    expect(await again.until('utterance_final')).toMatchObject({ backend: 'next', text: said });
    await again.closed;
    await expect.poll(since, patient).toMatch(/en-learner 9\.0\.0.*no policy and no session uses has ended/);
  });

  it('rolls a version back by itself that hears worse, and writes down why', async () => {
    const since = await edit(policy({ model: 'shuffled', more: canary }), inForce);
    const told = new Set<string>();
    while (!since().includes('a canary burns and is rolled back')) {
      const { backend, version, text } = await read();
      told.add(`${backend} ${version === '9.1.0'} ${text === said}`);
    }
    expect([...told].sort()).toEqual(['next true false', 'own false true']);
    await expect.poll(() => since().split('another routing policy is in force').length, patient).toBe(3);
    expect(await read()).toMatchObject({ backend: 'own', text: said });
    const entries = readFileSync(audit, 'utf8').trim().split('\n');
    const rollback = JSON.parse(entries.at(-1)!);
    expect(rollback).toMatchObject({ actor: 'speechfb', action: 'canary.rollback', target: 'worse' });
    expect(rollback.diff.figures.canaryBurn).toBeGreaterThan(2);
    expect(rollback.diff.figures.baselineBad).toBe(0);
    const { code } = await runProgram(['audit', 'verify', audit]);
    expect(code).toBe(0);
  });

  it('has another version hear the same sound unseen, and compares what both made of it', async () => {
    const shadow = '  shadow: { to: next, share: 100%, most: $1/h }\n';
    await edit(policy({ more: shadow }), inForce);
    for (let at = 0; at < 3; at++) expect(await read()).toMatchObject({ backend: 'own', text: said });
    const records = () =>
      (existsSync(shadowLog) ? readFileSync(shadowLog, 'utf8') : '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .filter((record) => record.shadow);
    await expect.poll(() => records().length, patient).toBe(3);
    for (const { served, shadow: unseen, between } of records()) {
      expect([served.backend, unseen.backend, between]).toEqual(['own', 'next', 0]);
      expect(unseen).toMatchObject({ model: 'en-learner 9.0.0', wrong: 0, failed: null });
      expect(served.model).toMatch(/^en-learner \d/);
      expect(unseen.dollars).toBeCloseTo(2 * served.dollars, 9);
    }
    const { code, stdout } = await runProgram(['shadow', 'report', shadowLog]);
    expect(code).toBe(99);
    expect(stdout).toMatch(/next \(en-learner 9\.0\.0\), unseen, beside own \(en-learner/);
    expect(stdout).toMatch(/an audio minute .*worse/);
  });
});

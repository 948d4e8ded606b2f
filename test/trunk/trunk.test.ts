import { connect } from 'node:http2';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { OpenUtterance } from '../../src/scoring/pipeline.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import type { InferenceNode } from '../../src/trunk/node/inference-node.ts';
import type { SentGatewayItem, SentNodeItem } from '../../src/trunk/wire/items.ts';
import { trunkMethod, windowBytes } from '../../src/trunk/wire/service.ts';
import { freePort } from '../kit/free-port.ts';
import { localhostTls } from '../kit/localhost.ts';
import { scriptedScoring } from '../kit/server/scripted.ts';
import { encodeRequests } from '../kit/trunk/items.ts';
import { type Lies, lyingNode } from '../kit/trunk/lying-node.ts';
import { rawTrunk } from '../kit/trunk/raw-trunk.ts';
import { node, pool, poolOptions, reader, until } from '../kit/trunk/service.ts';

describe('an utterance at a node', () => {
  it('is told and ends as it would here', async () => {
    const learner = reader(await pool([await node()]), 'a');
    learner.speak(1000);
    await until(() => learner.heardMs() === 1000);
    learner.utterance.gap(200);
    learner.speak(1200);
    const result = await learner.utterance.finish();
    expect(result.words.map(({ text }) => text)).toEqual(['abcdefghij', 'klmnopqrst']);
    expect(
      result.words.flatMap(({ phonemes }) => phonemes).filter(({ error_type }) => error_type === 'unscored'),
    ).toHaveLength(2);
    expect(learner.errors).toEqual([]);
  });

  it('goes on at another node when its own is closed, and tells no phone twice and none too few', async () => {
    const nodes = [await node(), await node()];
    const gateway = await pool(nodes);
    const learners = ['a', 'b', 'c'].map((name) => reader(gateway, name));
    for (const learner of learners) learner.speak(1000);
    await until(() => learners.every(({ heardMs }) => heardMs() === 1000));
    const busy = nodes.find((each) => each.slots().free < 4)!;
    await busy.close();
    for (const learner of learners) learner.speak(1500);
    const results = await Promise.all(learners.map(({ utterance }) => utterance.finish()));
    for (const [at, learner] of learners.entries()) {
      expect(learner.errors).toEqual([]);
      const indices = learner.finals().map(({ index }) => index);
      expect(indices).toEqual([...new Set(indices)]);
      expect(results[at]!.words.flatMap(({ phonemes }) => phonemes)).toHaveLength(20);
    }
    expect(gateway.stats().rehoused.lost).toBeGreaterThan(0);
  });

  it('goes on elsewhere with all others of its node, who have more to say again than one message may hold', async () => {
    const count = 80;
    const later = { address: `127.0.0.1:${await freePort()}` };
    const first = await node({ slots: count });
    const gateway = await pool([first], [later], undefined, [], 60_000);
    const learners = Array.from({ length: count }, (_, at) => reader(gateway, `learner ${at}`));
    // 26 MB, where a message may have 4.
    for (const learner of learners) learner.speak(10_000);
    await until(() => learners.every(({ heardMs }) => heardMs() === 10_000));
    const second = await node({ slots: count, address: later.address });
    await until(() => gateway.stats().trunks === 2);
    await first.close();
    await until(() => second.slots().free === 0);
    for (const learner of learners) learner.speak(1000);
    const results = await Promise.all(learners.map(({ utterance }) => utterance.finish()));
    for (const [at, learner] of learners.entries()) {
      expect(learner.errors).toEqual([]);
      expect(learner.finals()).toHaveLength(20);
      expect(results[at]!.words.flatMap(({ phonemes }) => phonemes)).toHaveLength(20);
    }
    // Each once; twice only where the second node is lost too.
    expect(gateway.stats().rehoused.lost).toBeGreaterThanOrEqual(count);
    expect(gateway.stats().rehoused.lost).toBeLessThan(2 * count);
  });

  it('moves to another node when its own drains, which then ends at once', async () => {
    const nodes = [await node(), await node()];
    const gateway = await pool(nodes);
    const learner = reader(gateway, 'a');
    learner.speak(1000);
    await until(() => learner.heardMs() === 1000);
    const from = nodes.find((each) => each.slots().free === 3)!;
    const drained = from.drain();
    await until(() => gateway.stats().rehoused.moved === 1);
    for (let spoken = 0; spoken < 10; spoken += 1) {
      learner.speak(100);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await drained).toEqual({ moved: true });
    expect((await learner.utterance.finish()).words).toHaveLength(2);
    const indices = learner.finals().map(({ index }) => index);
    expect(indices).toEqual([...new Set(indices)]);
    expect(gateway.stats().rehoused.lost).toBe(0);
  });

  it('without sound ends without a node', async () => {
    const only = await node({ slots: 1 });
    const learner = reader(await pool([only]), 'a');
    learner.speak(0);
    void learner.utterance.finish().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(only.slots().free).toBe(1);
    learner.utterance.close();
  });

  it('fails with a reason when all slots are leased, and gets one that is given back', async () => {
    const gateway = await pool([await node({ slots: 1 })]);
    const first = reader(gateway, 'first');
    first.speak(200);
    await until(() => first.told.length > 0);
    const second = reader(gateway, 'second');
    second.speak(200);
    await until(() => second.errors.length > 0);
    expect(second.errors[0]).toMatchObject({ code: 'no_slot', message: expect.stringContaining('full') });
    const third = reader(gateway, 'third');
    third.speak(200);
    gateway.leave('first');
    await until(() => third.told.length > 0);
  });

  it.each([
    ['another version of the model', { version: '1' }],
    ['another region', { region: 'eu' }],
  ])('is given to no node with %s', async (_, changes) => {
    const wrong = await node(changes);
    const right = await node();
    const gateway = await pool([right], [wrong]);
    const learners = Array.from({ length: 4 }, (_each, at) => reader(gateway, `learner ${at}`));
    for (const learner of learners) learner.speak(200);
    await until(() => learners.every(({ told }) => told.length > 0));
    expect(wrong.slots().free).toBe(4);
    expect(right.slots().free).toBe(0);
  });

  it('goes on at no node with another version, even when its own has died, and at one that comes later', async () => {
    const first = await node();
    const wrong = await node({ version: '1' });
    const later = { address: `127.0.0.1:${await freePort()}` };
    const gateway = await pool([first], [wrong, later]);
    // A link that failed is tried again after two seconds at the latest.
    const patient = await pool([first], [wrong, later], undefined, [], 60_000);
    const [given, waits] = [reader(gateway, 'given'), reader(patient, 'waits')];
    given.speak(1000);
    await until(() => given.heardMs() === 1000);
    await first.close();
    await until(() => given.errors.length > 0);
    expect(given.errors[0]).toMatchObject({ code: 'no_slot', message: expect.stringContaining('no node is there') });
    // It comes while the other waits.
    const comes = node({ address: later.address });
    waits.speak(1000);
    await comes;
    waits.speak(1500);
    expect((await waits.utterance.finish()).words).toHaveLength(2);
    expect(wrong.slots().free).toBe(4);
  });

  it.each([
    ['of a batch lets others go before it', true],
    ['of a learner who is there goes first', false],
  ])('%s at the node too', async (_, canWait) => {
    const seen: (boolean | undefined)[] = [];
    const open: OpenUtterance = (engine, reference, settings, events) => {
      seen.push(settings.canWait);
      return scriptedScoring.openUtterance(engine, reference, settings, events);
    };
    const gateway = await pool([await node({ open })]);
    reader(gateway, 'a', undefined, { canWait }).speak(100);
    await until(() => seen.length > 0);
    expect(seen).toEqual([canWait]);
  });

  it('is tried at two more nodes when scoring fails, then given up', async () => {
    let opened = 0;
    const failing: OpenUtterance = (_engine, _reference, _settings, { onError }) => {
      opened += 1;
      return {
        push: () => onError(new Error('the thread died')),
        gap() {},
        finish: () => Promise.reject(new Error('no')),
        close() {},
      };
    };
    const learner = reader(await pool([await node({ open: failing })]), 'a');
    learner.speak(100);
    await until(() => learner.errors.length > 0);
    expect(opened).toBe(3);
    expect(learner.errors[0]!.message).toContain('the thread died');
  });
});

describe('a gateway with nodes for spill', () => {
  it('asks them when all others have refused, and says why when they refuse too', async () => {
    const own = await node({ slots: 1 });
    const spill = await node({ slots: 1 });
    const gateway = await pool([own], [], credentials.createInsecure(), [spill]);
    const learners = ['a', 'b', 'c'].map((name) => reader(gateway, name));
    learners[0]!.speak(200);
    await until(() => learners[0]!.told.length > 0);
    expect([own, spill].map((each) => each.slots().free)).toEqual([0, 1]);
    learners[1]!.speak(200);
    await until(() => learners[1]!.told.length > 0);
    expect(gateway.stats()).toMatchObject({ spilled: 1 });
    learners[2]!.speak(200);
    await until(() => learners[2]!.errors.length > 0);
    expect(learners[2]!.errors[0]).toMatchObject({ code: 'no_slot', message: expect.stringContaining('full') });
    gateway.leave('a');
    await until(() => own.slots().free === 1);
    const late = reader(gateway, 'd');
    late.speak(200);
    await until(() => late.told.length > 0);
    expect(gateway.stats().spilled).toBe(1);
  });
});

describe('a node that cannot be believed', () => {
  const bytes = (text: string) => Buffer.from(text);
  const feedback = (utterance: number, changes: object): SentNodeItem => ({
    case: 'feedback',
    value: { utterance, audioMs: 100, phonesJson: '', marks: [], ...changes },
  });
  const failed = (utterance: number, code: string): SentNodeItem => ({
    case: 'failed',
    value: { utterance, code, message: 'no' },
  });
  const result = (utterance: number, text: string): SentNodeItem => ({
    case: 'result',
    value: { utterance, resultJson: bytes(text) },
  });

  it.each<[string, Lies]>([
    ['it grants leases that it does not have', { open: (utterance) => [failed(utterance, 'no_lease')] }],
    ['it has heard what was never sent', { sound: (utterance) => [feedback(utterance, { audioMs: 1e9 })] }],
    ['its sound takes no time', { sound: (utterance) => [feedback(utterance, { audioMs: Number.NaN })] }],
    ['its marks are beside its text', { sound: (utterance) => [feedback(utterance, { marks: [1, 1, 900] })] }],
    ['its progress is no JSON', { sound: (utterance) => [feedback(utterance, { progressJson: bytes('{') })] }],
    ['its result is no JSON', { finish: (utterance) => [result(utterance, '}')] }],
    ['its result is null', { finish: (utterance) => [result(utterance, 'null')] }],
    ['its result has no words', { finish: (utterance) => [result(utterance, '{"words":[],"deviations":[]}')] }],
  ])('is left by its sessions, which lose nothing, and harms no other, when %s', async (_, lies) => {
    const liar = await lyingNode(lies);
    const honest = await node({ slots: 8 });
    const gateway = await pool([liar, honest]);
    const learners = Array.from({ length: 6 }, (_each, at) => reader(gateway, `learner ${at}`));
    for (const learner of learners) learner.speak(1000);
    await until(() => liar.opened.length > 0);
    for (const learner of learners) learner.speak(1500);
    const results = await Promise.all(learners.map(({ utterance }) => utterance.finish()));
    for (const [at, learner] of learners.entries()) {
      expect(learner.errors).toEqual([]);
      expect(results[at]!.words.flatMap(({ phonemes }) => phonemes)).toHaveLength(20);
      const indices = learner.finals().map(({ index }) => index);
      expect(indices).toEqual([...new Set(indices)]);
    }
    expect(gateway.stats().trunks).toBe(1);
  });
});

it('a node that forgets its leases is left with the next text, which goes on at another and loses nothing', async () => {
  const nodes = [await node(), await node()];
  const gateway = await pool(nodes);
  const first = reader(gateway, 'a');
  first.speak(1000);
  await until(() => first.heardMs() === 1000);
  const forgetful = nodes.find((each) => each.slots().free === 3)!;
  forgetful.forgetLeases(true);
  expect(forgetful.slots().free).toBe(4);
  first.speak(1500);
  const second = reader(gateway, 'a');
  second.speak(2500);
  for (const { utterance, finals, errors } of [first, second]) {
    const { words } = await utterance.finish();
    expect(words.flatMap(({ phonemes }) => phonemes)).toHaveLength(20);
    const indices = finals().map(({ index }) => index);
    expect(indices).toEqual([...new Set(indices)]);
    expect(errors).toEqual([]);
  }
  expect(gateway.stats()).toMatchObject({ rehoused: { lost: 1, moved: 0 } });
});

describe('what comes to a node', () => {
  const later = Uint8Array.from([0x0a, 0x03, 0x98, 0x06, 0x01, 0x0a, 0x07, 0x0a, 0x05, 0x08, 0x02, 0xe8, 0x04, 0x01]);

  it('from a gateway of a later minor is heard as far as it is known', async () => {
    const { call, heard } = await answeredTrunk(await node());
    call.write(later);
    call.write(encodeRequests([{ case: 'acquire', value: { request: 7, deadlineMs: 0 } }])[0]!);
    await until(() => heard.some(({ case: name }) => name === 'granted'));
  });

  it('may come some messages ahead of what it has read', async () => {
    const session = connect(`http://${(await node()).address}`);
    onTestFinished(() => session.destroy());
    const headers = { ':method': 'POST', ':path': trunkMethod, 'content-type': 'application/grpc', te: 'trailers' };
    session.request(headers, { endStream: false });
    await until(() => session.remoteSettings?.initialWindowSize === windowBytes);
    await until(() => session.state.remoteWindowSize === windowBytes);
  });

  it.each([
    ['no protobuf', Uint8Array.from([0xff, 0xff, 0xff])],
    ['a length beyond the message', Uint8Array.from([0x0a, 0x7f, 0x01])],
    ['a message over the bound', new Uint8Array(5_000_000)],
  ])('as %s ends that trunk alone', async (_, bytes) => {
    const attacked = await node();
    const learner = reader(await pool([attacked]), 'a');
    learner.speak(500);
    const { call, isOver } = await answeredTrunk(attacked);
    call.write(bytes);
    await until(isOver);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    expect(learner.errors).toEqual([]);
  });

  it('for leases that the caller does not hold changes nothing for who holds them', async () => {
    const shared = await node();
    const learner = reader(await pool([shared]), 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    const { call, heard } = await answeredTrunk(shared);
    const say = (item: SentGatewayItem) => call.write(encodeRequests([item])[0]!);
    for (const lease of [0, 1, 2, 3]) {
      say({ case: 'release', value: { lease } });
      say({ case: 'open', value: { utterance: lease, lease, words: [], emitIntervalMs: 100 } });
      say({ case: 'finish', value: { utterance: lease } });
    }
    await until(() => heard.filter(({ case: name }) => name === 'failed').length === 4);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    expect(shared.slots().free).toBe(3);
  });

  it('without certificates is not heard where they are asked for, and with them it is', async () => {
    const tls = { ...localhostTls, authority: localhostTls.certificate };
    const guarded = await node({ tls });
    const address = guarded.address.replace('127.0.0.1', 'localhost');
    const { isOver } = await answeredTrunk(guarded);
    await until(isOver);
    const own = (text: string) => Buffer.from(text);
    const trusted = credentials.createSsl(own(tls.authority), own(tls.key), own(tls.certificate));
    const learner = reader(await pool([{ ...guarded, address }], [], trusted), 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    const strangers = credentials.createSsl(own(tls.authority));
    const stranger = new NodePool({
      ...poolOptions,
      nodes: new NodeAddresses([parseNodeSource(address)]),
      credentials: strangers,
    });
    onTestFinished(() => stranger.close());
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stranger.stats().trunks).toBe(0);
  });
});

/** A trunk on which the node has said something, or which it has ended. */
async function answeredTrunk(to: InferenceNode) {
  const raw = rawTrunk(to);
  await until(() => raw.isOver() || raw.heard.length > 0);
  return raw;
}

import { Client, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AcousticEngine } from '../../src/acoustic/engine/types.ts';
import { eachPhone } from '../../src/protocol/written-phones.ts';
import type { OpenUtterance } from '../../src/scoring/pipeline.ts';
import type { Feedback } from '../../src/scoring/utterance-scorer.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import { type InferenceNode, startInferenceNode } from '../../src/trunk/node/inference-node.ts';
import { encodeRequest } from '../../src/trunk/wire/codec.ts';
import type { HeardNodeItem, SentGatewayItem } from '../../src/trunk/wire/items.ts';
import { type HeardResponse, inferenceService } from '../../src/trunk/wire/service.ts';
import { localhostTls } from '../kit/localhost.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';

const log = createLog('silent', { write() {} });
const letters = ['SIL', ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function engineOf(version = '0'): AcousticEngine {
  const engine = scriptedEngine();
  return { ...engine, model: { ...engine.model, version, phones: letters } };
}

type NodeTls = { certificate: string; key: string; authority: string };

async function node(
  changes: { slots?: number; version?: string; region?: string; open?: OpenUtterance; tls?: NodeTls } = {},
): Promise<InferenceNode> {
  const { slots = 4, version, region = '', open = scriptedScoring.openUtterance, tls } = changes;
  const started = await startInferenceNode({
    engine: engineOf(version),
    openUtterance: open,
    log,
    name: 'node',
    region,
    slots,
    leaseTtlMs: 5000,
    drainMs: 2000,
    address: '127.0.0.1:0',
    tls,
  });
  onTestFinished(() => started.close());
  return started;
}

const poolOptions = { model: engineOf().model, region: '', gateway: 'test', log, homelessMs: 1500 };

async function pool(
  nodes: readonly InferenceNode[],
  also: readonly InferenceNode[] = [],
  shown = credentials.createInsecure(),
): Promise<NodePool> {
  const sources = [...also, ...nodes].map(({ address }) => parseNodeSource(address));
  const opened = new NodePool({ ...poolOptions, nodes: new NodeAddresses(sources), credentials: shown });
  onTestFinished(() => opened.close());
  await until(() => opened.stats().trunks === nodes.length && opened.stats().free > 0);
  return opened;
}

/** One learner who reads `text`; what the learner is told, and how it ends. */
function reader(from: NodePool, speaker: string, text = 'abcdefghij klmnopqrst') {
  const told: Feedback[] = [];
  const errors: Error[] = [];
  const reference = scriptedScoring.readReference({ text }, 1000);
  const utterance = from.openUtterance(
    engineOf(),
    reference,
    { emitIntervalMs: 100, speaker },
    {
      onFeedback: (feedback) => told.push(feedback),
      onError: (error) => errors.push(error),
    },
  );
  const speak = (ms: number) => {
    for (let at = 0; at < ms; at += 20) utterance.push(new Float32Array(320).fill(1 / 4));
  };
  const finals = () => told.flatMap(({ phones }) => eachPhone(phones).filter(({ isFinal }) => isFinal));
  return { utterance, told, errors, speak, finals, heardMs: () => told.at(-1)?.audioMs ?? 0 };
}

async function until(isSo: () => boolean, mostMs = 5000): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`never came: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

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

describe('what comes to a node', () => {
  const later = Uint8Array.from([0x0a, 0x03, 0x98, 0x06, 0x01, 0x0a, 0x07, 0x0a, 0x05, 0x08, 0x02, 0xe8, 0x04, 0x01]);

  it('from a gateway of a later minor is heard as far as it is known', async () => {
    const { call, heard } = await rawTrunk(await node());
    call.write(later);
    call.write(encodeRequest([{ case: 'acquire', value: { request: 7, deadlineMs: 0 } }]));
    await until(() => heard.some(({ case: name }) => name === 'granted'));
  });

  it.each([
    ['no protobuf', Uint8Array.from([0xff, 0xff, 0xff])],
    ['a length beyond the message', Uint8Array.from([0x0a, 0x7f, 0x01])],
    ['a message over the bound', new Uint8Array(5_000_000)],
  ])('as %s ends that trunk alone', async (_, bytes) => {
    const attacked = await node();
    const learner = reader(await pool([attacked]), 'a');
    learner.speak(500);
    const { call, ended } = await rawTrunk(attacked);
    call.write(bytes);
    await until(ended);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    expect(learner.errors).toEqual([]);
  });

  it('for leases that the caller does not hold changes nothing for who holds them', async () => {
    const shared = await node();
    const learner = reader(await pool([shared]), 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    const { call, heard } = await rawTrunk(shared);
    const say = (item: SentGatewayItem) => call.write(encodeRequest([item]));
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
    const { ended } = await rawTrunk(guarded);
    await until(ended);
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

/** A trunk to a node on which any bytes may be sent. */
async function rawTrunk(to: InferenceNode) {
  const { trunk } = inferenceService;
  const client = new Client(to.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const raw = (bytes: Uint8Array) => Buffer.from(bytes);
  const call = client.makeBidiStreamRequest(trunk.path, raw, trunk.responseDeserialize);
  const heard: HeardNodeItem[] = [];
  let isOver = false;
  call.on('data', ({ items }: HeardResponse) => heard.push(...items.map(({ item }) => item)));
  for (const end of ['error', 'end', 'close']) {
    call.on(end, () => {
      isOver = true;
    });
  }
  await until(() => isOver || heard.length > 0);
  return { call, heard, ended: () => isOver };
}

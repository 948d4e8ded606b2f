import { EventEmitter } from 'node:events';
import { fromBinary } from '@bufbuild/protobuf';
import { credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import { type InferenceNode, startInferenceNode } from '../../src/trunk/node/inference-node.ts';
import { NodeCore } from '../../src/trunk/node/node-core.ts';
import { TrunkEnd } from '../../src/trunk/node/trunk-end.ts';
import type { SentGatewayItem, SentNodeItem } from '../../src/trunk/wire/items.ts';
import { RequestItems } from '../../src/trunk/wire/request-items.ts';
import { decodeResponse } from '../../src/trunk/wire/responses.ts';
import { type HeardRequest, inferenceService } from '../../src/trunk/wire/service.ts';
import { TrunkRequestSchema, TrunkResponseSchema } from '../../src/trunk/wire/speechfb/v1/inference_pb.ts';
import { fuzz } from '../kit/fuzz.ts';
import { rawIn } from '../kit/hostile-text.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { decodeRequest, encodeRequests, encodeResponses, itemsOf } from '../kit/trunk/items.ts';

const slots = 4;
const core = { engine: scriptedEngine(), openUtterance: scriptedScoring.openUtterance, name: 'node', region: '' };
const times = { slots, leaseTtlMs: 5000, drainMs: 100 };

/** Small numbers meet what is there; the others are of no one. */
const number = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) }, fc.nat(0xffffffff));
const float = fc.oneof(fc.float(), fc.integer({ min: 0, max: 2000 }));
const double = fc.oneof(fc.double(), fc.integer({ min: 0, max: 2000 }));
const hostile = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom('A', 'A B', '', '\x1b[2J\u202e', 'x'.repeat(4000)),
);
const sound = fc.oneof(fc.uint8Array({ maxLength: 1280 }), fc.constant(new Uint8Array(640)));

const word = fc.record({ text: hostile, variants: fc.array(hostile, { maxLength: 3 }), source: hostile });
const goodWord = fc.constant({ text: 'ab', variants: ['A B'], source: 'given' });
const gatewayItem: fc.Arbitrary<SentGatewayItem> = fc.oneof(
  item('hello', { minor: number, gateway: hostile }),
  item('acquire', { request: number, deadlineMs: number }),
  item('renew', { leases: fc.array(number, { maxLength: 8 }) }),
  item('release', { lease: number }),
  item('open', {
    utterance: number,
    lease: number,
    words: fc.array(fc.oneof(goodWord, word), { maxLength: 6 }),
    emitIntervalMs: fc.oneof(fc.constant(100), number),
    nbest: number,
    startMs: double,
  }),
  item('sound', { utterance: number, s16le: sound }),
  item('sound', { utterance: number, f32le: sound }),
  item('gap', { utterance: number, ms: double }),
  item('finish', { utterance: number }),
  item('close', { utterance: number }),
);

const json = fc.oneof(fc.json({ maxDepth: 2 }), hostile).map((text) => Buffer.from(text));
const nodeHello: fc.Arbitrary<SentNodeItem> = item('hello', {
  minor: number,
  node: hostile,
  region: hostile,
  slots: number,
  leaseTtlMs: number,
  windowSamples: number,
});

const nodeItem: fc.Arbitrary<SentNodeItem> = fc.oneof(
  item('granted', { request: number, lease: number }),
  item('refused', { request: number, reason: hostile }),
  item('lost', { lease: number }),
  item('load', { free: number, draining: fc.boolean(), drainMs: number, stepP95Ms: float }),
  item('credit', { utterance: number, samples: number }),
  item('feedback', {
    utterance: number,
    audioMs: double,
    phonesJson: fc.constantFrom('', '{"index":0}'),
    marks: fc.array(number, { maxLength: 7 }),
    progressJson: json,
    ageMs: float,
  }),
  item('result', { utterance: number, resultJson: json }),
  item('failed', { utterance: number, code: fc.constantFrom('', 'no_lease', 'trunk_fault', 'x'), message: hostile }),
);

const requests = fc.array(
  edited(fc.array(gatewayItem, { maxLength: 12 }).map((items) => Buffer.concat(encodeRequests(items)))),
  { maxLength: 12 },
);
const anyItem = fc.oneof({ weight: 12, arbitrary: nodeItem }, nodeHello);
const responses = fc.array(
  edited(fc.array(anyItem, { maxLength: 4 }).map((items) => Buffer.concat(encodeResponses(items)))),
  { maxLength: 8 },
);

fuzz(
  'what is read by hand is what the generated code reads, both ways',
  fc.tuple(requests, responses),
  300,
  ([up, down]) => {
    for (const bytes of up) {
      expect(outcome(() => decodeRequest(bytes))).toEqual(outcome(() => fromBinary(TrunkRequestSchema, bytes)));
    }
    for (const bytes of down) {
      expect(outcome(() => decodeResponse(bytes))).toEqual(outcome(() => fromBinary(TrunkResponseSchema, bytes)));
    }
  },
);

fuzz("the node's end of a trunk", requests, 300, async (sequence) => {
  const log: string[] = [];
  const node = new NodeCore({ ...core, ...times, log: logTo(log), now: () => performance.now() });
  const trunk = openTrunk(node);
  let heard = 0;
  for (const bytes of sequence) {
    heard += bytes.length;
    // gRPC ends a call whose message cannot be read.
    if (outcome(() => decodeRequest(bytes)) === 'unreadable') break;
    trunk.call.emit('data', { items: new RequestItems(bytes), bytes });
  }
  // Another gateway is served as if nothing had been.
  const free = node.leases.free;
  const other = openTrunk(node);
  const bytes = encodeRequests([{ case: 'acquire', value: { request: 1 } }])[0]!;
  other.call.emit('data', { items: new RequestItems(bytes), bytes });
  expect(node.leases.free).toBe(Math.max(0, free - 1));
  await new Promise((resolve) => setTimeout(resolve, 4));
  // Two hellos, two loads, and answers in proportion to what was asked.
  expect(trunk.said() + other.said()).toBeLessThan(4000 + 40 * heard);
  trunk.call.emit('cancelled');
  other.call.emit('end');
  expect(node.leases.free).toBe(slots);
  expect(log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  expect(log.length).toBeLessThanOrEqual(4);
  expect(rawIn(log.join(''), 'json')).toEqual([]);
});

let good: InferenceNode;
let bad: Server;
let badAddress: string;
/** What the bad node says to whoever comes. */
let script: readonly Buffer[] = [];
beforeAll(async () => {
  good = await startInferenceNode({ ...core, ...times, log: logTo([]), address: '127.0.0.1:0' });
  bad = new Server();
  bad.addService(inferenceService, {
    trunk(call: ServerDuplexStream<HeardRequest, Buffer>) {
      const { name, version } = core.engine.model;
      const hello = { slots, leaseTtlMs: 5000, windowSamples: 480_000, model: { name, version, sampleRate: 16_000 } };
      call.on('error', () => {});
      call.write(
        encodeResponses([
          { case: 'hello', value: hello },
          { case: 'load', value: { free: 1000 } },
        ])[0]!,
      );
      call.on('data', (heard: HeardRequest) => {
        if ('fault' in heard) return;
        for (const { item: asked } of itemsOf(heard.items, heard.bytes)) {
          if (asked.case === 'acquire') {
            const { request } = asked.value;
            call.write(encodeResponses([{ case: 'granted', value: { request, lease: 1 } }])[0]!);
          }
          // Utterances of a gateway have small numbers: what is said now meets this one.
          if (asked.case !== 'open') continue;
          for (const bytes of script) call.write(bytes);
          call.end();
        }
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    bad.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  badAddress = `127.0.0.1:${port}`;
});
afterAll(async () => {
  bad.forceShutdown();
  await good.close();
});

fuzz("the gateway's end, beside a good node: every text ends, whatever a bad one says", responses, 40, async (said) => {
  script = said;
  const log: string[] = [];
  const pool = new NodePool({
    model: core.engine.model,
    nodes: new NodeAddresses([badAddress, good.address].map((address) => parseNodeSource(address))),
    region: '',
    gateway: 'test',
    credentials: credentials.createInsecure(),
    log: logTo(log),
    homelessMs: 5000,
  });
  const errors: Error[] = [];
  const reference = scriptedScoring.readReference({ text: 'ab ba' }, 1000);
  const settings = { emitIntervalMs: 100, speaker: 'a' };
  const text = pool.openUtterance(core.engine, reference, settings, { onError: (error) => errors.push(error) });
  for (let at = 0; at < 400; at += 20) text.push(new Float32Array(320).fill(1 / 4));
  await Promise.race([text.finish().catch((error) => errors.push(error)), tooLate(errors)]);
  pool.leave('a');
  pool.close();
  expect(errors.filter(({ message }) => message === late)).toEqual([]);
  expect(log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  expect(rawIn(log.join(''), 'json')).toEqual([]);
});

const late = 'the text never ended';

function tooLate(errors: Error[]): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(() => {
      errors.push(new Error(late));
      resolve();
    }, 30_000).unref();
  });
}

/** The node's end of a trunk whose gateway is here. */
function openTrunk(node: NodeCore): { call: EventEmitter; said(): number } {
  let bytes = 0;
  const call = Object.assign(new EventEmitter(), {
    write(response: Buffer, onSent: () => void) {
      bytes += response.length;
      decodeResponse(response);
      onSent();
      return true;
    },
    end() {},
  });
  new TrunkEnd(call as unknown as ServerDuplexStream<HeardRequest, Buffer>, node, { onEnd() {}, onRefused() {} });
  return { call, said: () => bytes };
}

function logTo(lines: string[]) {
  return createLog('info', { write: (line: string) => lines.push(line) });
}

function item<Case extends string, Value>(name: Case, value: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }) {
  return fc.record({ case: fc.constant(name), value: fc.record(value) }) as unknown as fc.Arbitrary<never>;
}

/** The bytes as they are, or with a few of them changed, added or cut off. */
function edited(blocks: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(3),
    put: fc.uint8Array({ maxLength: 4 }),
  });
  const edits = fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, fc.array(edit, { maxLength: 4 }));
  return fc.tuple(blocks, edits).map(([block, changes]) =>
    changes.reduce((bytes, { at, cut, put }) => {
      const from = Math.floor(at * bytes.length);
      return Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)]);
    }, Buffer.from(block)),
  );
}

/** What was read, without what only the generated code keeps; or that nothing was. */
function outcome(read: () => unknown): unknown {
  try {
    return plain(read());
  } catch {
    return 'unreadable';
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, inner]) => !key.startsWith('$') && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, plain(inner)]));
}

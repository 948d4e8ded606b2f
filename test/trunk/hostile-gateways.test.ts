import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { OpenUtterance } from '../../src/scoring/pipeline.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { SentGatewayItem } from '../../src/trunk/wire/items.ts';
import { trunkMethod } from '../../src/trunk/wire/service.ts';
import { TrunkRequestSchema } from '../../src/trunk/wire/speechfb/v1/inference_pb.ts';
import { scriptedScoring } from '../kit/server/scripted.ts';
import { encodeRequests } from '../kit/trunk/items.ts';
import { rawTrunk } from '../kit/trunk/raw-trunk.ts';
import { node, pool, reader, until } from '../kit/trunk/service.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const most = 2 ** 32 - 1;

describe('a gateway whose messages are none', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['ends within a number', hex('0a 02 0a ff'), /no TrunkRequest/],
    ['has an item of a negative size', hex('0a ff ff ff ff ff ff ff ff ff 01'), /no TrunkRequest/],
    ['has a sound of a negative size', hex('0a 0d 32 0b 08 01 12 ff ff ff ff ff ff ff ff 01'), /no TrunkRequest/],
    ['has a number of eleven bytes', hex('0a 0e 32 0c 08 ff ff ff ff ff ff ff ff ff ff 01'), /no TrunkRequest/],
    ['has a group that is never ended', hex('0a 02 32 0b 0b'), /no TrunkRequest/],
    ['has a field 0', hex('02 00'), /no TrunkRequest/],
    ['has text that is no UTF-8', hex('0a 06 0a 04 12 02 c3 28'), /no TrunkRequest/],
    ['has two million items', Buffer.alloc(4_000_000, hex('0a 00')), /more than 20000 items/],
    ['has them behind a field that is unknown', Buffer.alloc(4_000_000, hex('0a 00 7a 00')), /more than 20000 items/],
  ])('is told so when one %s; it is counted and said once, and others notice nothing', async (_, bytes, why) => {
    const lines: string[] = [];
    const attacked = await node({ log: createLog('info', { write: (line: string) => lines.push(line) }) });
    const learner = reader(await pool([attacked]), 'a');
    learner.speak(500);
    for (let time = 1; time <= 3; time += 1) {
      const { call, ended } = rawTrunk(attacked);
      call.write(bytes);
      expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(why) });
      expect(attacked.slots().connectionsRefused).toMatchObject({ garbage: time });
    }
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    expect(learner.errors).toEqual([]);
    expect(lines.filter((line) => line.includes('was refused'))).toHaveLength(1);
    expect(lines.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
    expect(attacked.slots().trunks).toBe(1);
  });

  it('is told so when one is a bomb of gzip, or more than may come', async () => {
    const attacked = await node();
    for (const [flag, body] of [
      [1, gzipSync(Buffer.alloc(100_000_000))],
      [0, Buffer.alloc(4_200_000)],
    ] as const) {
      const session = connect(`http://${attacked.address}`);
      onTestFinished(() => session.destroy());
      session.on('error', () => {});
      const stream = session.request({
        ':method': 'POST',
        ':path': trunkMethod,
        'content-type': 'application/grpc',
        'grpc-encoding': 'gzip',
        te: 'trailers',
      });
      stream.on('error', () => {});
      stream.resume();
      // In the trailers, or in the headers of an answer that has nothing else.
      const told = new Promise<unknown>((resolve) => {
        for (const event of ['response', 'trailers']) {
          stream.on(event, (fields) => fields['grpc-status'] && resolve(fields['grpc-status']));
        }
      });
      const head = Buffer.alloc(5, flag);
      head.writeUInt32BE(body.length, 1);
      stream.write(Buffer.concat([head, body]));
      expect(await told).toBe(`${status.RESOURCE_EXHAUSTED}`);
    }
    const learner = reader(await pool([attacked]), 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
  });
});

describe('a gateway that says what cannot be', () => {
  const open = (utterance: number, lease: number, more = {}): SentGatewayItem => ({
    case: 'open',
    value: { utterance, lease, words: [{ text: 'ab', variants: ['A B'] }], emitIntervalMs: 100, ...more },
  });
  const sound = (utterance: number, bytes: number): SentGatewayItem => ({
    case: 'sound',
    value: { utterance, s16le: new Uint8Array(bytes) },
  });
  const gap = (utterance: number, ms: number): SentGatewayItem => ({ case: 'gap', value: { utterance, ms } });

  /** What it says under lease 1, and the code of each answer that something failed. */
  it.each<[string, SentGatewayItem[], string[]]>([
    [
      'of utterances that were never opened',
      [sound(5, 640), gap(most, 20), { case: 'finish', value: { utterance: most } }, sound(most, 640)],
      [],
    ],
    [
      'of utterances that were closed',
      [
        open(5, 1),
        { case: 'close', value: { utterance: 5 } },
        sound(5, 640),
        { case: 'finish', value: { utterance: 5 } },
      ],
      [],
    ],
    [
      'after the end of an utterance',
      [open(5, 1), ...[1, 2].map((): SentGatewayItem => ({ case: 'finish', value: { utterance: 5 } })), sound(5, 640)],
      [],
    ],
    ['of the largest numbers', [open(most, 1), sound(most, 640), open(most - 1, most)], ['no_lease']],
    ['of one number twice', [open(5, 1), open(5, 1)], ['trunk_fault']],
    ['half a sample', [open(5, 1), sound(5, 641), sound(5, 1)], []],
    ['more than it has credit for', [open(5, 1), sound(5, 1_000_000)], ['trunk_fault']],
    [
      'gaps of no time, of less and of all time',
      [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300].flatMap((ms, at) => [open(at + 1, 1), gap(at + 1, ms)]),
      Array.from({ length: 5 }, () => 'trunk_fault'),
    ],
    ['a million words', [open(5, 1, { words: Array.from({ length: 1_000_001 }, () => ({})) })], ['trunk_fault']],
    [
      'intervals that are none',
      [open(5, 1, { emitIntervalMs: 0 }), open(6, 1, { startMs: Number.NaN })],
      ['trunk_fault', 'trunk_fault'],
    ],
    ['leases that it does not have', [open(5, 2), { case: 'release', value: { lease: most } }], ['no_lease']],
  ])('%s is answered utterance by utterance, and keeps its slot', async (_, items, codes) => {
    const attacked = await node();
    const { call, heard } = rawTrunk(attacked);
    const say = (...said: SentGatewayItem[]) => {
      for (const message of encodeRequests(said)) call.write(message);
    };
    say({ case: 'acquire', value: { request: 1 } });
    await until(() => heard.some(({ case: name }) => name === 'granted'));
    say(...items, { case: 'acquire', value: { request: 2 } });
    await until(() => heard.filter(({ case: name }) => name === 'granted').length === 2);
    const failed = heard.flatMap((item) => (item.case === 'failed' ? [item.value.code] : []));
    expect(failed).toEqual(codes);
    expect(attacked.slots().free).toBe(2);
  });

  it('asks for slots without end is refused each and every one, and others keep theirs', async () => {
    const attacked = await node();
    const learner = reader(await pool([attacked]), 'a');
    learner.speak(500);
    await until(() => learner.heardMs() === 500);
    const { call, heard } = rawTrunk(attacked);
    for (let time = 0; time < 3; time += 1) {
      const items = Array.from({ length: 20_000 }, (_, request) => {
        return { item: { case: 'acquire' as const, value: { request } } };
      });
      call.write(toBinary(TrunkRequestSchema, create(TrunkRequestSchema, { items })));
    }
    await until(() => heard.filter(({ case: name }) => name === 'refused').length === 60_000 - 3);
    expect(attacked.slots().refused).toBe(60_000 - 3);
    learner.speak(500);
    await until(() => learner.heardMs() === 1000);
    expect(learner.errors).toEqual([]);
  });
});

describe('a gateway that reads nothing', () => {
  it('is cut before its answers fill the memory of its node, and counted', async () => {
    const answers: OpenUtterance = (...of) => {
      const pipeline = scriptedScoring.openUtterance(...of);
      const finish = async () => {
        const result = await pipeline.finish();
        return { ...result, words: result.words.map((word) => ({ ...word, text: 'x'.repeat(2_000_000) })) };
      };
      return { ...pipeline, finish };
    };
    const attacked = await node({ open: answers });
    const { call, ended } = rawTrunk(attacked, 'unread');
    call.write(encodeRequests([{ case: 'acquire', value: { request: 1 } }])[0]!);
    for (let utterance = 1; utterance <= 40; utterance += 1) {
      const words = [{ text: 'ab', variants: ['A B'] }];
      const said: SentGatewayItem[] = [
        { case: 'open', value: { utterance, lease: 1, words, emitIntervalMs: 100 } },
        { case: 'finish', value: { utterance } },
      ];
      call.write(encodeRequests(said)[0]!);
    }
    await until(() => attacked.slots().trunks === 0);
    call.resume();
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(attacked.slots()).toMatchObject({ free: 4, connectionsRefused: { unread: 1 } });
  });
});

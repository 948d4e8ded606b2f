import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SentGatewayItem, SentNodeItem } from '../../src/trunk/wire/items.ts';
import { messageBytes } from '../../src/trunk/wire/messages.ts';
import { RequestItems } from '../../src/trunk/wire/request-items.ts';
import { decodeResponse } from '../../src/trunk/wire/responses.ts';
import { MessageSounds, samplesOf } from '../../src/trunk/wire/samples.ts';
import {
  GatewayItemSchema,
  type NodeItemSchema,
  TrunkRequestSchema,
  TrunkResponseSchema,
} from '../../src/trunk/wire/speechfb/v1/inference_pb.ts';
import { decodeRequest, encodeRequests, encodeResponses } from '../kit/trunk/items.ts';

const number = fc.oneof(fc.constant(0), fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const bytes = fc.uint8Array({ maxLength: 300 });
const float = fc.oneof(fc.constant(0), fc.float());

const gatewayItem: fc.Arbitrary<SentGatewayItem> = fc.oneof(
  fc.record({ utterance: number, s16le: bytes, f32le: bytes }).map((value) => ({ case: 'sound' as const, value })),
  fc
    .record({
      utterance: number,
      s16le: fc.constantFrom(127, 128, 16_383, 16_384, 70_000).map((n) => new Uint8Array(n)),
    })
    .map((value) => ({ case: 'sound' as const, value })),
  fc.record({ utterance: number, ms: fc.double() }).map((value) => ({ case: 'gap' as const, value })),
  fc.record({ leases: fc.array(number) }).map((value) => ({ case: 'renew' as const, value })),
);

const nodeItem: fc.Arbitrary<SentNodeItem> = fc.oneof(
  fc
    .record(
      {
        utterance: number,
        audioMs: fc.double(),
        phonesJson: fc.string({ unit: 'binary', maxLength: 300 }),
        marks: fc.array(number),
        progressJson: bytes,
        timing: fc.record({ queue: float, features: float, asr: float, scoring: float }),
        ageMs: float,
      },
      { requiredKeys: [] },
    )
    .map((value) => ({ case: 'feedback' as const, value })),
  fc.record({ utterance: number, samples: number }).map((value) => ({ case: 'credit' as const, value })),
  fc.record({ utterance: number, resultJson: bytes }).map((value) => ({ case: 'result' as const, value })),
);

type LibraryItem = NonNullable<MessageInitShape<typeof NodeItemSchema>['item']>;
const request = (items: readonly SentGatewayItem[]) =>
  toBinary(TrunkRequestSchema, create(TrunkRequestSchema, { items: items.map((item) => ({ item })) }));
const response = (items: readonly SentNodeItem[]) =>
  toBinary(
    TrunkResponseSchema,
    create(TrunkResponseSchema, { items: items.map((item) => ({ item: item as LibraryItem })) }),
  );

describe('what travels on a trunk', () => {
  it('is written byte by byte as the generated code writes it', () => {
    fc.assert(
      fc.property(fc.array(gatewayItem, { maxLength: 8 }), (items) => {
        const written = Buffer.concat(encodeRequests(items));
        expect(written.equals(request(items))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.array(nodeItem, { maxLength: 8 }), (items) => {
        const written = Buffer.concat(encodeResponses(items));
        expect(written.equals(response(items))).toBe(true);
      }),
    );
  });

  it('is read as the generated code reads it', () => {
    fc.assert(
      fc.property(fc.array(gatewayItem, { maxLength: 8 }), (items) => {
        const written = request(items);
        const { items: read } = fromBinary(TrunkRequestSchema, written);
        expect(plain(decodeRequest(written))).toEqual({ items: read.map(plain) });
      }),
    );
    fc.assert(
      fc.property(fc.array(nodeItem, { maxLength: 8 }), (items) => {
        const written = response(items);
        const { items: read } = fromBinary(TrunkResponseSchema, written);
        expect(plain(decodeResponse(written))).toEqual({ items: read.map(plain) });
      }),
    );
  });

  it('is read to the same, or refused like it, when bytes of it are others', () => {
    const spoilt = <Item>(item: fc.Arbitrary<Item>, write: (items: readonly Item[]) => Uint8Array) =>
      fc
        .tuple(fc.array(item, { minLength: 1, maxLength: 3 }), fc.nat(60), fc.nat(255))
        .map(([items, at, byte]) => Uint8Array.from(write(items)).fill(byte, at, at + 1));
    fc.assert(
      fc.property(spoilt(gatewayItem, request), (written) => {
        expect(outcome(() => decodeRequest(written).items.map(plain))).toEqual(
          outcome(() => fromBinary(TrunkRequestSchema, written).items.map(plain)),
        );
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(spoilt(nodeItem, response), (written) => {
        expect(outcome(() => decodeResponse(written).items.map(plain))).toEqual(
          outcome(() => fromBinary(TrunkResponseSchema, written).items.map(plain)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is read whatever a later minor has added to it, and in whatever order', () => {
    const sound: MessageInitShape<typeof GatewayItemSchema> = {
      item: { case: 'sound', value: { utterance: 3, s16le: Uint8Array.from([1, 2]) } },
    };
    const written = toBinary(GatewayItemSchema, create(GatewayItemSchema, sound));
    // Field 15 in the sound, and the item once more with its fields the other way round.
    const added = [...written, 0x78, 0x01];
    added[1]! += 2;
    const turned = [0x32, 0x06, 0x12, 0x02, 0x01, 0x02, 0x08, 0x03];
    const bytesOf = [added, turned].flatMap((item) => [0x0a, item.length, ...item]);
    const read = decodeRequest(Uint8Array.from(bytesOf)).items.map(plain);
    expect(read).toEqual([plain(create(GatewayItemSchema, sound)), plain(create(GatewayItemSchema, sound))]);
  });

  it('gives up its sound wherever it lies, one after another, in whatever message', () => {
    const place = fc.record({ from: fc.nat(300), length: fc.nat(200), format: fc.constantFrom('s16le', 'f32le') });
    const message = fc.uint8Array({ minLength: 500, maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const sounds = new MessageSounds();
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.array(place)), { maxLength: 5 }), (messages) => {
        for (const [written, places] of messages) {
          sounds.open(written);
          for (const { from, length, format } of places) {
            const of = written.subarray(from, from + length);
            expect(sounds.samples(format, from, from + length)).toEqual(samplesOf(of, format));
          }
        }
      }),
    );
    // The longest message that is taken, of one sound, and a usual one after it.
    const long = Uint8Array.from({ length: 4_000_001 }, (_, at) => at % 251);
    for (const written of [long, long.subarray(0, 700), long.subarray(0, 70_000)]) {
      sounds.open(written);
      expect(sounds.samples('s16le', 1, written.length)).toEqual(samplesOf(written.subarray(1), 's16le'));
    }
  });

  it('has room for a replay after little, and for little after a replay', () => {
    const of = (length: number): SentGatewayItem => ({
      case: 'sound',
      value: { utterance: 1, s16le: new Uint8Array(length).fill(7) },
    });
    for (const items of [[of(2)], Array.from({ length: 40 }, () => of(65_536)), [of(2)]]) {
      const written = encodeRequests(items);
      // The elements of a list may come in several messages.
      expect(Buffer.concat(written).equals(request(items))).toBe(true);
      for (const { length } of written) expect(length).toBeLessThan(messageBytes + 65_600);
    }
  });

  it.each(['request', 'response'] as const)('is a %s of so many items at most', (kind) => {
    const empty = (count: number) => Buffer.alloc(2 * count, Uint8Array.of(0x0a, 0x00));
    const read = (bytes: Uint8Array) =>
      kind === 'request' ? new RequestItems(bytes).length : decodeResponse(bytes).items.length;
    const unknown = Uint8Array.of(0x78, 0x01);
    expect(read(Buffer.concat([unknown, empty(20_000)]))).toBe(20_000);
    expect(() => read(Buffer.concat([unknown, empty(20_001)]))).toThrow('more than 20000 items');
    const many: SentGatewayItem[] = Array.from({ length: 30_000 }, () => ({ case: 'close', value: {} }));
    expect(encodeRequests(many).map((bytes) => new RequestItems(bytes).length)).toEqual([20_000, 10_000]);
  });
});

/** A message without what the library keeps for itself. */
function plain(message: unknown): unknown {
  if (message instanceof Uint8Array) return Buffer.from(message).toString('latin1');
  if (Array.isArray(message)) return message.map(plain);
  if (typeof message !== 'object' || message === null) return message;
  const own = Object.entries(message).filter(([key, value]) => !key.startsWith('$') && value !== undefined);
  return Object.fromEntries(own.map(([key, value]) => [key, plain(value)]));
}

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return 'refused';
  }
}

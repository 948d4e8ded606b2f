import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registerBatchCodecs } from '../../../src/queue/kafka/batch-codecs.ts';
import { fromLz4 } from '../../../src/queue/kafka/lz4.ts';
import { fromSnappy } from '../../../src/queue/kafka/snappy.ts';
import { BadCompression } from '../../../src/queue/kafka/unpacked.ts';

const require = createRequire(import.meta.url);
/** The library's own reader of batches, which comes to the codecs. */
const LibraryDecoder = require('kafkajs/src/protocol/decoder');
const readBatch: (decoder: object) => Promise<{ records: LibraryRecord[] }> =
  require('kafkajs/src/protocol/recordBatch/v0/decoder');
type LibraryRecord = { offset: string; key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer> };
registerBatchCodecs();

const kinds = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/** A batch of two records at offsets 7 and 9, whose records are these bytes. */
function batchOf(kind: keyof typeof kinds, records: Buffer, count = 2): Buffer {
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(7n, 0);
  head.writeInt32BE(61 - 12 + records.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(kinds[kind], 21);
  head.writeInt32BE(2, 23);
  head.writeInt32BE(count, 57);
  return Buffer.concat([head, records]);
}

const read = async (batch: Buffer): Promise<LibraryRecord[]> => (await readBatch(new LibraryDecoder(batch))).records;

const javaHead = Buffer.from('82534e415050590000000001' + '00000001', 'hex');

/** A record of a batch, without key and headers. */
function record(offsetDelta: number, value: string): Buffer {
  const content = Buffer.from([0, 0, offsetDelta * 2, 1, value.length * 2, ...Buffer.from(value), 0]);
  return Buffer.concat([Buffer.of(content.length * 2), content]);
}

/** Snappy with one literal, and a run as a copy of the byte before it where there is one. */
function snappyOf(bytes: Buffer): Buffer {
  const run = runIn(bytes);
  const literal = (part: Buffer): Buffer => Buffer.concat([Buffer.of(60 << 2, part.length - 1), part]);
  if (!run) return Buffer.concat([Buffer.of(bytes.length), literal(bytes)]);
  const copy = Buffer.of(((run.length - 1) << 2) | 2, 1, 0);
  const rest = bytes.subarray(run.at + run.length);
  return Buffer.concat([Buffer.of(bytes.length), literal(bytes.subarray(0, run.at)), copy, literal(rest)]);
}

function blockOf(block: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  return Buffer.concat([length, block]);
}

/** A frame of LZ4 of one block: literals, a run as a copy, and literals. */
function lz4Of(bytes: Buffer): Buffer {
  const run = runIn(bytes)!;
  const rest = bytes.subarray(run.at + run.length);
  const first = Buffer.concat([
    Buffer.of((run.at << 4) | 15),
    bytes.subarray(0, run.at),
    Buffer.of(1, 0, run.length - 19),
  ]);
  const block = Buffer.concat([first, Buffer.of(rest.length << 4), rest]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(block.length);
  return Buffer.concat([Buffer.from('04224d18604082', 'hex'), length, block, Buffer.alloc(4)]);
}

/** Where more than 20 times the same byte stands behind itself. */
function runIn(bytes: Buffer): { at: number; length: number } | undefined {
  for (let at = 1; at < bytes.length; at += 1) {
    let length = 0;
    while (bytes[at + length] === bytes[at - 1]) length += 1;
    if (length > 20) return { at, length };
  }
  return undefined;
}

describe('a batch that another producer compressed', () => {
  const plain = Buffer.concat([record(0, 'a'.repeat(40)), record(2, 'b')]);
  it.each([
    ['gzip', gzipSync(plain)],
    ['snappy', snappyOf(plain)],
    [
      'snappy',
      Buffer.concat([javaHead, blockOf(snappyOf(plain.subarray(0, 20))), blockOf(snappyOf(plain.subarray(20)))]),
    ],
    ['lz4', lz4Of(plain)],
  ] as const)('is read (%s)', async (kind, compressed) => {
    const found = await read(batchOf(kind, compressed));
    expect(found.map(({ offset, value }) => [offset, String(value)])).toEqual([
      ['7', 'a'.repeat(40)],
      ['9', 'b'],
    ]);
  });
});

describe('a batch that nobody can unpack is delivered as records that say why', () => {
  it.each([
    ['gzip', gzipSync(Buffer.alloc(70_000_000)), 'its batch, compressed with gzip, has more than 64 MiB'],
    ['gzip', Buffer.from('rubbish'), 'its batch, compressed with gzip, cannot be unpacked'],
    ['snappy', Buffer.from('ffffffff0f00', 'hex'), 'its batch, compressed with snappy, has more than 64 MiB'],
    ['snappy', Buffer.from('0a0900', 'hex'), 'its batch, compressed with snappy, cannot be unpacked'],
    ['lz4', Buffer.from('rubbish that is long'), 'its batch, compressed with lz4, cannot be unpacked'],
    ['zstd', Buffer.from('rubbish'), 'its batch, compressed with zstd, cannot be'],
  ] as const)('%s: %#', async (kind, compressed, why) => {
    const found = await read(batchOf(kind, compressed));
    expect(found.map(({ offset, key, headers }) => [offset, key, String(headers.unreadable)])).toEqual([
      ['7', null, expect.stringContaining(why)],
      ['9', null, expect.stringContaining(why)],
    ]);
    expect(found[0]!.value).toEqual(compressed);
    expect(found[1]!.value).toBeNull();
  });

  it('but for one that says that it has millions, which is told as a fault of the queue', async () => {
    await expect(read(batchOf('gzip', Buffer.from('rubbish'), 2_000_000))).rejects.toThrow(
      'a batch of records cannot be read',
    );
  });
});

describe.each([
  ['snappy', fromSnappy],
  ['lz4', fromLz4],
] as const)('whatever %s is said to be', (_, unpack) => {
  it('comes out within its bound, or is refused', () => {
    const heads = [Buffer.alloc(0), javaHead, Buffer.from('04224d18604082', 'hex')];
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 60 }), (head, bytes) => {
        try {
          expect(unpack(Buffer.concat([head, bytes]), 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(BadCompression);
        }
      }),
      { seed: 20261130, numRuns: 500 },
    );
  });
});

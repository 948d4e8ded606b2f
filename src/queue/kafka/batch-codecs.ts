import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import { fromLz4 } from './lz4.ts';
import { fromSnappy } from './snappy.ts';
import { standIns } from './stand-ins.ts';

// Node does not find these names in the library's CommonJS.
const { CompressionCodecs, CompressionTypes } = kafkajs;

/**
 * Lets the library read batches whichever way they are compressed: a topic, or a whole Kafka, may
 * say so (`compression.type`), and so may whoever else writes. What cannot be unpacked, or would
 * fill the memory, is delivered as records that say why, so that a worker puts them aside: the
 * library would come to the same batch again and again.
 */
export function registerBatchCodecs(): void {
  Object.assign(CompressionCodecs, codecs);
}

type Unpack = (bytes: Buffer, most: number) => Buffer | Promise<Buffer>;

/** An unpacked batch may have 64 times what brokers take by default. */
const mostBatchBytes = 67_108_864;

/**
 * The records of a batch in which the library finds these bytes, or those that stand for them.
 */
async function unpackBatch(name: string, unpack: Unpack | undefined, bytes: Buffer): Promise<Buffer> {
  const batch = `its batch, compressed with ${name},`;
  if (!unpack) return standIns(bytes, `${batch} cannot be read by this version of Node.js: from 22.15 on it can`);
  try {
    return await unpack(bytes, mostBatchBytes);
  } catch (error) {
    const isTooMuch = isTooLarge(error) || /more than/.test((error as Error).message);
    const why = isTooMuch ? `has more than ${mostBatchBytes / 1_048_576} MiB` : 'cannot be unpacked';
    return standIns(bytes, `${batch} ${why}`);
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

const unzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.unzip);

/** Node has it from 22.15 on. */
const zstd = (zlib as { zstdDecompress?: typeof zlib.unzip }).zstdDecompress;
const unzstd = zstd && promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zstd);

/** What is read of each kind; what is written is never compressed. */
const codecs = {
  [CompressionTypes.GZIP]: codec('gzip', (bytes, most) => unzip(bytes, { maxOutputLength: most })),
  [CompressionTypes.Snappy]: codec('snappy', fromSnappy),
  [CompressionTypes.LZ4]: codec('lz4', fromLz4),
  [CompressionTypes.ZSTD]: codec('zstd', unzstd && ((bytes, most) => unzstd(bytes, { maxOutputLength: most }))),
};

function codec(name: string, unpack: Unpack | undefined) {
  return () => ({
    compress: () => Promise.reject(new RangeError(`nothing is written with ${name}`)),
    decompress: (bytes: Buffer) => unpackBatch(name, unpack, bytes),
  });
}

import { inflateSync } from 'node:zlib';
import { leastOf, slotOf } from './hdr-slots.ts';

/**
 * What is wrong with a histogram that comes from a file, in words after its place; undefined when a
 * LatencyHistogram can be made of it. The WASM build must not see a wrong one: it writes past its
 * memory.
 */
export function histogramProblem(hdr: string): string | undefined {
  const bytes = Buffer.from(hdr, 'base64');
  if (bytes.length < 8 || bytes.toString('base64') !== hdr || bytes.readInt32BE(0) !== compressedCookie)
    return 'is not an HdrHistogram, V2, compressed and in base64';
  const raw = inflated(bytes.subarray(8, 8 + Math.max(0, bytes.readInt32BE(4))));
  if (raw === undefined) return 'is an HdrHistogram that cannot be decompressed';
  if (raw.length < headerBytes || !raw.subarray(0, 4).equals(head.cookie) || !raw.subarray(12, 32).equals(head.range))
    return 'is an HdrHistogram of another range than 1 us to an hour in three digits';
  if (raw.readInt32BE(4) !== raw.length - headerBytes) return 'is an HdrHistogram whose counts are cut off';
  return countsProblem(raw.subarray(headerBytes));
}

/** Counts by slot, from the first: zigzag LEB128, a negative one is so many slots without any. */
function countsProblem(counts: Buffer): string | undefined {
  let slot = 0;
  let at = 0;
  while (at < counts.length) {
    let zigzag = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = counts[at++];
      if (byte === undefined) return 'is an HdrHistogram whose counts are cut off';
      zigzag += (byte & 127) * factor;
      if (byte < 128) break;
      if (factor > 1e12) return 'is an HdrHistogram with a count that is too large';
    }
    const count = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    if (count > 0xffff_ffff) return 'is an HdrHistogram with a count that is too large';
    if (count > 0 && leastOf(slot) > highest) return 'is an HdrHistogram with latencies of more than an hour';
    slot += count < 0 ? -count : 1;
    if (slot > slots) return 'is an HdrHistogram with more counts than it has places';
  }
  return undefined;
}

const highest = 3_600_000_000;
/** A 32-bit histogram has room for all values of its last doubling. */
const slots = slotOf(0xffff_ffff) + 1;

const compressedCookie = 0x1c849314;
const headerBytes = 40;
/** What the header of each of ours says: three digits, from 1 us to an hour. */
const head = {
  cookie: Buffer.from('1c849313', 'hex'),
  range: Buffer.from('00000003' + '0000000000000001' + '00000000d693a400', 'hex'),
};

function inflated(bytes: Buffer): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: headerBytes + 9 * slots });
  } catch {
    return undefined;
  }
}

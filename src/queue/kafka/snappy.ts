import { BadCompression, Unpacked } from './unpacked.ts';

/**
 * Snappy (google/snappy, format_description.txt): one block, or the framed blocks of snappy-java,
 * which Kafka's own clients write.
 *
 * @throws BadCompression beyond `most` bytes too
 */
export function fromSnappy(bytes: Buffer, most: number): Buffer {
  if (!bytes.subarray(0, javaMagic.length).equals(javaMagic)) {
    const out = new Unpacked(Math.min(lengthOf(bytes).length, 100 * bytes.length), most);
    unpackBlock(bytes, out, most);
    return out.bytes;
  }
  const out = new Unpacked(4 * bytes.length, most);
  for (let at = javaMagic.length + 8; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new BadCompression('it ends too early');
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new BadCompression('it ends too early');
    unpackBlock(bytes.subarray(at + 4, end), out, most);
    at = end;
  }
  return out.bytes;
}

const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** One block: its length, and then literals and copies. */
function unpackBlock(block: Buffer, out: Unpacked, most: number): void {
  const { length, end } = lengthOf(block);
  if (length > most) throw new BadCompression(`it has more than ${most} bytes`);
  const until = out.bytes.length + length;
  for (let at = end; at < block.length; ) {
    const tag = block[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const extra = Math.max(0, short - 59);
      const size = 1 + (extra === 0 ? short : littleEndian(block, at, extra));
      out.literal(block, at + extra, size);
      at += extra + size;
    } else if (kind === 1) {
      out.copy(((tag >> 5) << 8) | littleEndian(block, at, 1), 4 + ((tag >> 2) & 7));
      at += 1;
    } else {
      const width = kind === 2 ? 2 : 4;
      out.copy(littleEndian(block, at, width), 1 + (tag >> 2));
      at += width;
    }
  }
  if (out.bytes.length !== until) throw new BadCompression('it has another length than it says');
}

/** The length of what comes out, and where the block goes on behind it. */
function lengthOf(block: Buffer): { length: number; end: number } {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, end: at + 1 };
  }
  throw new BadCompression('it says no length');
}

function littleEndian(bytes: Buffer, at: number, width: number): number {
  if (at + width > bytes.length) throw new BadCompression('it ends too early');
  return bytes.readUIntLE(at, width);
}

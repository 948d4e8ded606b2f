import { BadCompression, Unpacked } from './unpacked.ts';

/**
 * A frame of LZ4 (lz4/lz4, lz4_Frame_format.md and lz4_Block_format.md). Checksums are not looked
 * at: the broker has checked the batch, and TCP the way from there.
 *
 * @throws BadCompression beyond `most` bytes too
 */
export function fromLz4(bytes: Buffer, most: number): Buffer {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw new BadCompression('it is no frame of LZ4');
  const flags = bytes[4]!;
  if (flags >> 6 !== 1) throw new BadCompression('it is a frame of LZ4 of another version');
  if ((flags & has.dictionary) !== 0) throw new BadCompression('it needs a dictionary');
  const out = new Unpacked(4 * bytes.length, most);
  const checksum = (flags & has.blockChecksums) === 0 ? 0 : 4;
  for (let at = (flags & has.contentSize) === 0 ? 7 : 15; ; ) {
    if (at + 4 > bytes.length) throw new BadCompression('it ends too early');
    const word = bytes.readUInt32LE(at);
    const size = word & 0x7fff_ffff;
    const end = at + 4 + size;
    if (size === 0) return out.bytes;
    if (end > bytes.length) throw new BadCompression('it ends too early');
    if (word >>> 31 === 1) out.literal(bytes, at + 4, size);
    else unpackBlock(bytes.subarray(at + 4, end), out);
    at = end + checksum;
  }
}

const magic = 0x184d2204;
/** Bits of the frame's flags. */
const has = { dictionary: 1, contentSize: 8, blockChecksums: 16 } as const;

/** One block: literals, each with a copy behind it but for the last. */
function unpackBlock(block: Buffer, out: Unpacked): void {
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new BadCompression('it ends too early');
    return value;
  };
  const lengthOf = (short: number): number => {
    let length = short;
    if (short === 15)
      for (let more = 255; more === 255; ) {
        more = byte();
        length += more;
      }
    return length;
  };
  while (at < block.length) {
    const token = byte();
    const literals = lengthOf(token >> 4);
    out.literal(block, at, literals);
    at += literals;
    if (at >= block.length) return;
    const back = byte() | (byte() << 8);
    out.copy(back, 4 + lengthOf(token & 15));
  }
}

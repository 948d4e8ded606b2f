import { QueueError, unreadableHeader } from '../work-queue.ts';

/**
 * The records of a batch (Kafka's protocol guide, "Record Batch") that nobody can read: as many as
 * it says that it has, at its offsets, each with a header that says why. The first one has the
 * bytes as they are, so that nothing is lost where it is put aside.
 *
 * @param compressed a part of the answer of a broker: what comes before it is the batch's head
 * @throws QueueError where there is no such head
 */
export function standIns(compressed: Buffer, why: string): Buffer {
  const { count, lastOffsetDelta } = headOf(compressed, why);
  const header = [bytes(Buffer.from(unreadableHeader)), bytes(Buffer.from(why))];
  const records = Array.from({ length: count }, (_, index) => {
    const offsetDelta = index === count - 1 ? lastOffsetDelta : index;
    const value = index === 0 ? bytes(compressed) : nothing;
    const [attributes, timestampDelta] = [Buffer.of(0), varint(0)];
    return bytes(
      Buffer.concat([attributes, timestampDelta, varint(offsetDelta), nothing, value, varint(1), ...header]),
    );
  });
  return Buffer.concat(records);
}

function headOf(compressed: Buffer, why: string): { count: number; lastOffsetDelta: number } {
  const start = compressed.byteOffset - headBytes;
  const head = start < 0 ? undefined : Buffer.from(compressed.buffer, start, headBytes);
  const count = head?.readInt32BE(57) ?? 0;
  const lastOffsetDelta = head?.readInt32BE(23) ?? -1;
  if (head?.readInt8(16) !== 2 || count < 1 || count > mostRecords || lastOffsetDelta < count - 1)
    throw new QueueError('failed', `a batch of records cannot be read: ${why}`);
  return { count, lastOffsetDelta };
}

function bytes(content: Buffer): Buffer {
  return Buffer.concat([varint(content.length), content]);
}

/** A signed number in groups of seven bits, zigzag (Kafka's protocol guide, "VARINT"). */
function varint(value: number): Buffer {
  const groups: number[] = [];
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  while (left >= 0x80) {
    groups.push((left % 0x80) + 0x80);
    left = Math.floor(left / 0x80);
  }
  return Buffer.from([...groups, left]);
}

/** The length of bytes that are none. */
const nothing = varint(-1);
const headBytes = 61;
/** A batch of more is none of ours, and its records alone would fill the memory. */
const mostRecords = 1_000_000;

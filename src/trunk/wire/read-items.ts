import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** What reads the items of a message, each in its turn. */
export type ItemsReader = {
  /** The field of the item that is read by hand. */
  field: number;
  /** Reads the item up to `end`; false: it is written as this program does not write it. */
  hot(reader: BinaryReader, end: number): boolean;
  /** @throws Error when the bytes are no item */
  other(bytes: Uint8Array): void;
};

/**
 * Reads the items of a message of either side; false: what is wrong with the bytes, or not, is the
 * library's to say.
 *
 * @throws TooManyItems
 */
export function readItems(bytes: Uint8Array, to: ItemsReader): boolean {
  const reader = new BinaryReader(bytes);
  let items = 0;
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field !== itemsField) reader.skip(wireType, field);
      else if (wireType !== WireType.LengthDelimited) return false;
      else if (items === mostItems) throw new TooManyItems(`a message has more than ${mostItems} items`);
      else {
        const end = reader.uint32() + reader.pos;
        if (end > reader.len) return false;
        readItem(bytes, reader, end, to);
        items += 1;
        reader.pos = end;
      }
    }
  } catch (error) {
    if (error instanceof TooManyItems) throw error;
    return false;
  }
  return true;
}

function readItem(bytes: Uint8Array, reader: BinaryReader, end: number, { field, hot, other }: ItemsReader): void {
  const from = reader.pos;
  // Field numbers below 16 have tags of one byte.
  if (bytes[from] === ((field << 3) | WireType.LengthDelimited)) {
    reader.pos = from + 1;
    const bodySize = reader.uint32();
    if (reader.pos + bodySize === end && hot(reader, end)) return;
  }
  other(bytes.subarray(from, end));
}

/** A message of more items than any end says at once. */
export class TooManyItems extends Error {}

/** `items` of both messages. */
const itemsField = 1;
/**
 * Items of a message: one of as many bytes as may come could have two million, and its reader would
 * do nothing else for seconds.
 */
export const mostItems = 20_000;

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { decodeFeedback, encodeFeedback, feedbackField } from './feedback-codec.ts';
import type { HeardGatewayItem, HeardNodeItem, SentGatewayItem, SentNodeItem } from './items.ts';
import { MessageWriter } from './message-writer.ts';
import { decodeSound, encodeSound, soundField } from './sound-codec.ts';
import {
  type GatewayItem,
  GatewayItemSchema,
  type NodeItem,
  NodeItemSchema,
  TrunkRequestSchema,
  TrunkResponseSchema,
} from './speechfb/v1/inference_pb.ts';

// The bytes are those of the generated code, whatever is written or read: sound and feedback, which
// are nearly all of what travels, are written and read by hand, everything else by the library.

/**
 * `TrunkRequest`s with these items in their order, each of some `messageBytes`, or of one item that
 * is longer: what one message may have is bounded at its reader.
 */
export function encodeRequests(items: readonly SentGatewayItem[]): Buffer[] {
  return messagesOf(items, (item) => {
    if (item.case === 'sound') encodeSound(writer, item.value);
    else writer.bytes(toBinary(TrunkRequestSchema, create(TrunkRequestSchema, { items: [{ item }] })));
  });
}

/** `TrunkResponse`s with these items, likewise. */
export function encodeResponses(items: readonly SentNodeItem[]): Buffer[] {
  return messagesOf(items, (item) => {
    if (item.case === 'feedback') encodeFeedback(writer, item.value);
    else writer.bytes(toBinary(TrunkResponseSchema, create(TrunkResponseSchema, { items: [{ item }] })));
  });
}

function messagesOf<Item>(items: readonly Item[], write: (item: Item) => void): Buffer[] {
  const messages: Buffer[] = [];
  let since = 0;
  for (const [at, item] of items.entries()) {
    write(item);
    if (writer.size < messageBytes && at + 1 - since < mostItems) continue;
    messages.push(writer.take());
    since = at + 1;
  }
  if (writer.size > 0) messages.push(writer.take());
  return messages;
}

/** @throws Error when the bytes are no message, or one of too many items */
export function decodeRequest(bytes: Uint8Array): { items: readonly { item: HeardGatewayItem }[] } {
  const items = readItems<{ item: HeardGatewayItem }>(bytes, {
    field: soundField,
    hot(reader, end) {
      const value = decodeSound(reader, end);
      return value && { item: { case: 'sound', value } };
    },
    other: (item): GatewayItem => fromBinary(GatewayItemSchema, item),
  });
  return items ? { items } : fromBinary(TrunkRequestSchema, bytes);
}

/** @throws Error likewise */
export function decodeResponse(bytes: Uint8Array): { items: readonly { item: HeardNodeItem }[] } {
  const items = readItems<{ item: HeardNodeItem }>(bytes, {
    field: feedbackField,
    hot(reader, end) {
      const value = decodeFeedback(reader, end);
      return value && { item: { case: 'feedback', value } };
    },
    other: (item): NodeItem => fromBinary(NodeItemSchema, item),
  });
  return items ? { items } : fromBinary(TrunkResponseSchema, bytes);
}

type ItemReader<Item> = {
  /** The field of the item that is read by hand. */
  field: number;
  /** The item up to `end`, or undefined: it is written as this program does not write it. */
  hot(reader: BinaryReader, end: number): Item | undefined;
  other(bytes: Uint8Array): Item;
};

/**
 * The items, or undefined: what is wrong with the bytes, or not, is the library's to say.
 *
 * @throws TooManyItems
 */
function readItems<Item>(bytes: Uint8Array, of: ItemReader<Item>): Item[] | undefined {
  const reader = new BinaryReader(bytes);
  const items: Item[] = [];
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field !== itemsField) reader.skip(wireType, field);
      else if (wireType !== WireType.LengthDelimited) return undefined;
      else if (items.length === mostItems) throw new TooManyItems(`a message has more than ${mostItems} items`);
      else {
        const end = reader.uint32() + reader.pos;
        if (end > reader.len) return undefined;
        items.push(readItem(bytes, reader, end, of));
        reader.pos = end;
      }
    }
  } catch (error) {
    if (error instanceof TooManyItems) throw error;
    return undefined;
  }
  return items;
}

function readItem<Item>(bytes: Uint8Array, reader: BinaryReader, end: number, of: ItemReader<Item>): Item {
  const { field, hot, other } = of;
  const from = reader.pos;
  // Field numbers below 16 have tags of one byte.
  if (bytes[from] === ((field << 3) | WireType.LengthDelimited)) {
    reader.pos = from + 1;
    const bodySize = reader.uint32();
    const item = reader.pos + bodySize === end ? hot(reader, end) : undefined;
    if (item) return item;
  }
  return other(bytes.subarray(from, end));
}

/** A message of more items than any end says at once. */
export class TooManyItems extends Error {}

const writer = new MessageWriter();
/** `items` of both messages. */
const itemsField = 1;
/**
 * The sound of one session that catches up at another node is no longer than this between that of
 * two others, and a node that was late says as much as this at once.
 */
export const messageBytes = 256 * 1024;
/**
 * Items of a message: one of as many bytes as may come could have two million, and its reader would
 * do nothing else for seconds.
 */
const mostItems = 20_000;

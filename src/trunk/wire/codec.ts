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

/** A `TrunkRequest`. */
export function encodeRequest(items: readonly SentGatewayItem[]): Buffer {
  for (const item of items) {
    if (item.case === 'sound') encodeSound(writer, item.value);
    else writer.bytes(toBinary(TrunkRequestSchema, create(TrunkRequestSchema, { items: [{ item }] })));
  }
  return writer.take();
}

/** A `TrunkResponse`. */
export function encodeResponse(items: readonly SentNodeItem[]): Buffer {
  for (const item of items) {
    if (item.case === 'feedback') encodeFeedback(writer, item.value);
    else writer.bytes(toBinary(TrunkResponseSchema, create(TrunkResponseSchema, { items: [{ item }] })));
  }
  return writer.take();
}

/** @throws Error when the bytes are no message */
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

/** @throws Error when the bytes are no message */
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

/** The items, or undefined: what is wrong with the bytes, or not, is the library's to say. */
function readItems<Item>(bytes: Uint8Array, { field, hot, other }: ItemReader<Item>): Item[] | undefined {
  const reader = new BinaryReader(bytes);
  const hotTag = (field << 3) | WireType.LengthDelimited;
  const items: Item[] = [];
  try {
    while (reader.pos < reader.len) {
      if (reader.uint32() !== itemsTag) return undefined;
      const end = reader.uint32() + reader.pos;
      if (end > reader.len) return undefined;
      const from = reader.pos;
      let item: Item | undefined;
      // Field numbers below 16 have tags of one byte.
      if (bytes[from] === hotTag) {
        reader.pos = from + 1;
        const bodySize = reader.uint32();
        if (reader.pos + bodySize === end) item = hot(reader, end);
      }
      items.push(item ?? other(bytes.subarray(from, end)));
      reader.pos = end;
    }
  } catch {
    return undefined;
  }
  return items;
}

const writer = new MessageWriter();
/** `items` of both messages. */
const itemsTag = (1 << 3) | WireType.LengthDelimited;

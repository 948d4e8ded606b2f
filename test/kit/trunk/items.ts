import { create } from '@bufbuild/protobuf';
import type { HeardGatewayItem, SentGatewayItem, SentNodeItem } from '../../../src/trunk/wire/items.ts';
import { RequestItems } from '../../../src/trunk/wire/request-items.ts';
import { RequestWriter } from '../../../src/trunk/wire/request-writer.ts';
import { ResponseWriter } from '../../../src/trunk/wire/responses.ts';
import { SoundSchema } from '../../../src/trunk/wire/speechfb/v1/inference_pb.ts';

/** Messages with these items; sound in one format is written by hand. */
export function encodeRequests(items: readonly SentGatewayItem[]): Buffer[] {
  const writer = new RequestWriter();
  for (const item of items) {
    const { s16le, f32le, utterance = 0 } = item.case === 'sound' ? item.value : {};
    const bytes = s16le?.length ? s16le : f32le;
    const isOne = bytes !== undefined && (s16le?.length ? !f32le?.length : true);
    if (!isOne) writer.item(item);
    else {
      const format = bytes === s16le ? 's16le' : 'f32le';
      // As a retained block has it, with other sound before and behind.
      const block = Uint8Array.from([7, ...bytes, 7]);
      writer.sound(utterance, { format, bytes: block, from: 1, end: 1 + bytes.length });
    }
  }
  return writer.take();
}

export function encodeResponses(items: readonly SentNodeItem[]): Buffer[] {
  const writer = new ResponseWriter();
  for (const item of items) writer.item(item);
  return writer.take();
}

/** What a node hears, as the generated code has it. */
export function decodeRequest(bytes: Uint8Array): { items: { item: HeardGatewayItem }[] } {
  return { items: itemsOf(new RequestItems(bytes), bytes) };
}

/** @param bytes where `heard` was read */
export function itemsOf(heard: RequestItems, bytes: Uint8Array): { item: HeardGatewayItem }[] {
  const items: { item: HeardGatewayItem }[] = [];
  heard.each({
    sound(utterance, format, from, end) {
      const value = create(SoundSchema, { utterance, [format]: Uint8Array.from(bytes.subarray(from, end)) });
      items.push({ item: { case: 'sound', value } });
    },
    item: (item) => items.push({ item }),
  });
  return items;
}

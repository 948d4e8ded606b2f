import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { decodeFeedback, encodeFeedback, feedbackField } from './feedback-codec.ts';
import type { HeardNodeItem, SentNodeItem } from './items.ts';
import { Messages } from './messages.ts';
import { readItems } from './read-items.ts';
import { NodeItemSchema, TrunkResponseSchema } from './speechfb/v1/inference_pb.ts';

/** Writes what a node says into `TrunkResponse`s, in its order. */
export class ResponseWriter {
  readonly #messages = new Messages();

  item(item: SentNodeItem): void {
    const { writer } = this.#messages;
    if (item.case === 'feedback') encodeFeedback(writer, item.value);
    else writer.bytes(toBinary(TrunkResponseSchema, create(TrunkResponseSchema, { items: [{ item }] })));
    this.#messages.added();
  }

  /** What was written since the call before. */
  take(): Buffer[] {
    return this.#messages.take();
  }
}

/** @throws Error when the bytes are no message, or one of too many items */
export function decodeResponse(bytes: Uint8Array): { items: readonly { item: HeardNodeItem }[] } {
  const items: { item: HeardNodeItem }[] = [];
  const isRead = readItems(bytes, {
    field: feedbackField,
    hot(reader, end) {
      const value = decodeFeedback(reader, end);
      if (value) items.push({ item: { case: 'feedback', value } });
      return value !== undefined;
    },
    other: (item) => items.push(fromBinary(NodeItemSchema, item)),
  });
  return isRead ? { items } : fromBinary(TrunkResponseSchema, bytes);
}

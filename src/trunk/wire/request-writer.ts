import { create, toBinary } from '@bufbuild/protobuf';
import type { SentGatewayItem } from './items.ts';
import { Messages } from './messages.ts';
import type { SoundBytes } from './samples.ts';
import { writeSound } from './sound-codec.ts';
import { TrunkRequestSchema } from './speechfb/v1/inference_pb.ts';

/** Writes what a gateway says into `TrunkRequest`s, in its order. */
export class RequestWriter {
  readonly #messages = new Messages();

  item(item: SentGatewayItem): void {
    this.#messages.writer.bytes(toBinary(TrunkRequestSchema, create(TrunkRequestSchema, { items: [{ item }] })));
    this.#messages.added();
  }

  /** The next sound of an utterance; it is copied. */
  sound(utterance: number, sound: SoundBytes): void {
    writeSound(this.#messages.writer, utterance, sound);
    this.#messages.added();
  }

  /** What was written since the call before. */
  take(): Buffer[] {
    return this.#messages.take();
  }
}

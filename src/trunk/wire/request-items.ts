import { fromBinary } from '@bufbuild/protobuf';
import type { BinaryReader } from '@bufbuild/protobuf/wire';
import type { HeardGatewayItem } from './items.ts';
import { type ItemsReader, readItems } from './read-items.ts';
import type { SampleFormat } from './samples.ts';
import { type FoundSound, findSound, soundField } from './sound-codec.ts';
import { GatewayItemSchema, TrunkRequestSchema } from './speechfb/v1/inference_pb.ts';

/** Hears what a message says, item after item. */
export type RequestListener = {
  /** Sound of `utterance`: the bytes of the message from `from` to `end`. */
  sound(utterance: number, format: SampleFormat, from: number, end: number): void;
  item(item: HeardGatewayItem): void;
};

/**
 * What one `TrunkRequest` says. Nearly all of it is sound, of which no object is made: it is known
 * by where it lies in the message, and thousands of frames a second leave nothing to collect.
 */
export class RequestItems {
  /** Four numbers an item: its utterance, what it is, from where and to where it lies. */
  readonly #rows: number[] = [];
  readonly #others: HeardGatewayItem[] = [];

  /** @throws Error when the bytes are no message, or one of too many items */
  constructor(bytes: Uint8Array) {
    if (readItems(bytes, this.#reader())) return;
    this.#rows.length = 0;
    this.#others.length = 0;
    // What is wrong with the bytes, or not, is the library's to say.
    for (const { item } of fromBinary(TrunkRequestSchema, bytes).items) this.#addOther(item);
  }

  get length(): number {
    return this.#rows.length / numbersARow;
  }

  /** Says them in the order in which they happened. */
  each(listener: RequestListener): void {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at += numbersARow) {
      const kind = rows[at + 1]!;
      if (kind === otherKind) listener.item(this.#others[rows[at]!]!);
      else listener.sound(rows[at]!, kind === wideKind ? 'f32le' : 's16le', rows[at + 2]!, rows[at + 3]!);
    }
  }

  #reader(): ItemsReader {
    const found: FoundSound = { utterance: 0, isWide: false, from: 0, end: 0 };
    return {
      field: soundField,
      hot: (reader: BinaryReader, end: number) => {
        if (!findSound(reader, end, found)) return false;
        this.#rows.push(found.utterance, found.isWide ? wideKind : narrowKind, found.from, found.end);
        return true;
      },
      other: (bytes) => this.#addOther(fromBinary(GatewayItemSchema, bytes).item),
    };
  }

  #addOther(item: HeardGatewayItem): void {
    this.#rows.push(this.#others.length, otherKind, 0, 0);
    this.#others.push(item);
  }
}

const numbersARow = 4;
const narrowKind = 0;
const wideKind = 1;
const otherKind = 2;

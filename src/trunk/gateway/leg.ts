import type { Reference } from '../../scoring/text/reference.ts';
import type { RequestWriter } from '../wire/request-writer.ts';
import type { LegEvents, LinkedLeg, NodeLink } from './node-link.ts';
import { beginning, type Cursor, type RetainedSound } from './retained-sound.ts';

/** A slot at a node. */
export type Place = { link: NodeLink; lease: number };

/** How an utterance is scored, wherever it is. */
export type LegSettings = {
  emitIntervalMs: number;
  nbest: number;
  startMs: number;
  canWait: boolean;
  /** Empty: nobody traces it. */
  traceparent: string;
};

export type LegOptions = {
  place: Place;
  reference: Reference;
  settings: LegSettings;
  sound: RetainedSound;
  events: LegEvents;
};

/** One utterance at one node: what is sent of its sound, and when. */
export class Leg implements LinkedLeg {
  readonly place: Place;
  readonly events: LegEvents;
  readonly cursor: Cursor = beginning();
  readonly #id: number;
  readonly #sound: RetainedSound;
  #creditSamples: number;
  #finish: 'no' | 'wanted' | 'said' = 'no';

  constructor({ place, reference, settings, sound, events }: LegOptions) {
    this.place = place;
    this.events = events;
    this.#sound = sound;
    this.#creditSamples = place.link.windowSamples;
    this.#id = place.link.addLeg(this);
    const words = reference.words.map(({ text, variants, source, readings }) => ({
      text,
      variants: variants.map((phones) => phones.join(' ')),
      source,
      readings: [...(readings ?? [])],
    }));
    const value = { utterance: this.#id, lease: place.lease, words, ...settings };
    place.link.say({ case: 'open', value });
    this.touch();
  }

  /** There is more to send. */
  touch(): void {
    this.place.link.touch(this);
  }

  finish(): void {
    this.#finish = 'wanted';
    this.touch();
  }

  credit(samples: number): void {
    this.#creditSamples += samples;
    this.touch();
  }

  /** Nothing of it is wanted any more. */
  close(): void {
    if (this.place.link.removeLeg(this.#id)) this.place.link.say({ case: 'close', value: { utterance: this.#id } });
  }

  /** As `SoundSource` has it. */
  drain(to: RequestWriter, mostBytes: number): number {
    let bytes = 0;
    while (bytes < mostBytes) {
      const piece = this.#sound.take(this.cursor, this.#creditSamples);
      if (!piece) break;
      if (piece.kind === 'gap') {
        bytes += gapBytes;
        to.item({ case: 'gap', value: { utterance: this.#id, ms: piece.ms } });
      } else {
        bytes += piece.end - piece.from;
        this.#creditSamples -= piece.samples;
        to.sound(this.#id, piece);
      }
    }
    if (this.#finish === 'wanted' && !this.#sound.hasMore(this.cursor)) {
      this.#finish = 'said';
      to.item({ case: 'finish', value: { utterance: this.#id } });
    }
    return bytes;
  }
}

/** What a gap takes in a message. */
const gapBytes = 16;

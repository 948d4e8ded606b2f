import type { Reference } from '../../scoring/text/reference.ts';
import type { SentGatewayItem } from '../wire/items.ts';
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

  /** Adds what may be sent now to the items of the next message. */
  drain(items: SentGatewayItem[]): void {
    for (;;) {
      const piece = this.#sound.take(this.cursor, this.#creditSamples);
      if (!piece) break;
      if (piece.kind === 'gap') items.push({ case: 'gap', value: { utterance: this.#id, ms: piece.ms } });
      else {
        this.#creditSamples -= piece.samples;
        items.push({ case: 'sound', value: { utterance: this.#id, [piece.format]: piece.bytes } });
      }
    }
    if (this.#finish !== 'wanted' || this.#sound.hasMore(this.cursor)) return;
    this.#finish = 'said';
    items.push({ case: 'finish', value: { utterance: this.#id } });
  }
}

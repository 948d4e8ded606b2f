import type { ReferenceInput } from '../../protocol/client-messages.ts';
import type { SoundPlace, UtterancePlace } from '../../stores/checkpoint.ts';

/**
 * Where the newest utterances of a session began: each from its beginning until its client is known
 * to have its final, since until then another gateway may have to hear it again.
 */
export class UtterancePlaces {
  #places: (UtterancePlace & { finalId?: number })[] = [];

  begun(id: number, reference: ReferenceInput, place: SoundPlace): void {
    this.#places.push({ id, reference, place, isFinal: false });
    if (this.#places.length > mostPlaces) this.#places.shift();
  }

  /** Its final was sent, as an event of this number at most. */
  finalSent(id: number, eventId: number): void {
    this.#places = this.#places.map((one) => (one.id === id ? { ...one, isFinal: true, finalId: eventId } : one));
  }

  /** The client has read everything up to this event; whether that changed anything. */
  confirmed(eventId: number): boolean {
    const last = this.#places.at(-1);
    const left = this.#places.filter((one) => one === last || (one.finalId ?? Infinity) > eventId);
    const isNews = left.length !== this.#places.length;
    this.#places = left;
    return isNews;
  }

  /** In order; the newest is always among them. */
  all(): readonly UtterancePlace[] {
    return this.#places.map(({ id, reference, place, isFinal }) => ({ id, reference, place, isFinal }));
  }

  /** Where the oldest of them began: sound from there on may be needed again. */
  get first(): SoundPlace | undefined {
    return this.#places[0]?.place;
  }
}

/** More than a session may have open at once, and some that wait for a pong. */
const mostPlaces = 64;

import type { ServerEvent } from '../protocol/server-messages.ts';
import type { PhonemeResult } from '../scoring/result.ts';

/**
 * Watches one session's events for broken promises of the protocol: event ids that skip or repeat, feedback or a transcript
 * after the final or a second final, a final phone that changes, an ack that goes backwards or covers what was never sent. From a
 * resume on, ids may skip (acks are not replayed) but never repeat.
 */
export class InvariantWatch {
  #lastEventId: number | undefined;
  #resumed = false;
  #acked = 0;
  readonly #finalUtterances = new Set<number>();
  /** Final phones of the utterance being read, as `accuracy@end`. */
  #finalPhones = new Map<number, string>();
  #utterance = -1;

  /** The rules that this event breaks, in words; none for a good one. */
  check(event: ServerEvent, framesSent: number): string[] {
    if (event.type === 'ready' && event.resumed) {
      // No event of its own: it repeats the id that the client named.
      this.#resumed = true;
      return [];
    }
    const broken = this.#order(event.event_id);
    if (event.type === 'ack') {
      if (event.next_seq < this.#acked) broken.push(`ack went back from ${this.#acked} to ${event.next_seq}`);
      if (event.next_seq > framesSent) broken.push(`ack of ${event.next_seq} frames when ${framesSent} were sent`);
      this.#acked = Math.max(this.#acked, event.next_seq);
    }
    if (event.type === 'phoneme_feedback') {
      this.#enter(event.utterance_id);
      if (this.#finalUtterances.has(event.utterance_id)) broken.push('phoneme_feedback after utterance_final');
      broken.push(...this.#phones(event.phonemes));
    }
    if (event.type === 'transcript' && this.#finalUtterances.has(event.utterance_id)) {
      broken.push('transcript after utterance_final');
    }
    if (event.type === 'utterance_final') {
      this.#enter(event.utterance_id);
      if (this.#finalUtterances.has(event.utterance_id)) broken.push('a second utterance_final');
      this.#finalUtterances.add(event.utterance_id);
      broken.push(...this.#phones(event.words.flatMap((word) => word.phonemes)));
    }
    return broken;
  }

  #order(eventId: number): string[] {
    const last = this.#lastEventId;
    this.#lastEventId = eventId;
    if (last === undefined || eventId === last + 1 || (this.#resumed && eventId > last)) return [];
    return [`event_id ${eventId} after ${last}`];
  }

  #enter(utterance: number): void {
    if (utterance === this.#utterance) return;
    this.#utterance = utterance;
    this.#finalPhones = new Map();
  }

  #phones(phonemes: readonly PhonemeResult[]): string[] {
    const broken: string[] = [];
    for (const phone of phonemes) {
      const known = this.#finalPhones.get(phone.index);
      const now = `${phone.phoneme} ${phone.accuracy} ${phone.start_ms}-${phone.end_ms}`;
      if (known !== undefined && known !== now) broken.push(`final phone ${phone.index} changed`);
      if (phone.status === 'final') this.#finalPhones.set(phone.index, now);
    }
    return broken;
  }
}

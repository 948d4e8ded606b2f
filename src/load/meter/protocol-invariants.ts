import type { PhonemeResult } from '../../protocol/result.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';

/**
 * Watches one session's events for broken promises of the protocol: event ids that skip or repeat,
 * feedback or a transcript after the final or a second final, a final phone that changes, an ack
 * that goes backwards or covers what was never sent. From a resume on, ids may skip (acks are not
 * replayed) but never repeat; so do those of finals that come after the session has ended.
 */
export class InvariantWatch {
  #lastEventId: number | undefined;
  #resumed = false;
  #acked = 0;
  readonly #finalUtterances = new Set<number>();
  /** Final phones of the utterance being read, by their place. */
  #finalPhones = new Map<number, FinalPhone>();
  #utterance = -1;
  /** True once the utterance has had its final. */
  #utteranceOver = false;
  /** Rules that the event being checked breaks; most break none, and cost no list. */
  #broken: readonly string[] = none;

  /** The rules that this event breaks, in words; none for a good one. */
  check(event: ServerEvent, framesSent: number): readonly string[] {
    this.#broken = none;
    if (event.type === 'ready' && event.resumed) {
      // No event of its own: it repeats the id that the client named. Another gateway may lack what
      // was acknowledged.
      this.#resumed = true;
      this.#acked = Math.min(this.#acked, event.next_seq);
      return none;
    }
    // Who is not let in to resume is told so outside of the session, by an error of number 0.
    if (event.type === 'error' && event.event_id === 0) return none;
    if (event.type === 'utterance_final' && event.late) this.#resumed = true;
    this.#order(event.event_id);
    switch (event.type) {
      case 'ack':
        this.#ack(event.next_seq, framesSent);
        break;
      case 'phoneme_feedback':
        this.#enter(event.utterance_id);
        if (this.#utteranceOver) this.#break('phoneme_feedback after utterance_final');
        this.#phones(event.phonemes);
        break;
      case 'transcript':
        if (this.#finalUtterances.has(event.utterance_id)) this.#break('transcript after utterance_final');
        break;
      case 'utterance_final':
        this.#enter(event.utterance_id);
        if (this.#utteranceOver) this.#break('a second utterance_final');
        this.#utteranceOver = true;
        this.#finalUtterances.add(event.utterance_id);
        for (const { phonemes } of event.words) this.#phones(phonemes);
        break;
    }
    return this.#broken;
  }

  #break(rule: string): void {
    this.#broken = [...this.#broken, rule];
  }

  #order(eventId: number): void {
    const last = this.#lastEventId;
    this.#lastEventId = eventId;
    if (last === undefined || eventId === last + 1 || (this.#resumed && eventId > last)) return;
    this.#break(`event_id ${eventId} after ${last}`);
  }

  #ack(nextSeq: number, framesSent: number): void {
    if (nextSeq < this.#acked) this.#break(`ack went back from ${this.#acked} to ${nextSeq}`);
    if (nextSeq > framesSent) this.#break(`ack of ${nextSeq} frames when ${framesSent} were sent`);
    this.#acked = Math.max(this.#acked, nextSeq);
  }

  #enter(utterance: number): void {
    if (utterance === this.#utterance) return;
    this.#utterance = utterance;
    this.#utteranceOver = this.#finalUtterances.has(utterance);
    this.#finalPhones = new Map();
  }

  #phones(phonemes: readonly PhonemeResult[]): void {
    for (const { index, status, phoneme, accuracy, start_ms, end_ms } of phonemes) {
      const known = this.#finalPhones.get(index);
      const isSame =
        known === undefined ||
        (known.phoneme === phoneme &&
          known.accuracy === accuracy &&
          known.startMs === start_ms &&
          known.endMs === end_ms);
      if (!isSame) this.#break(`final phone ${index} changed`);
      if (status === 'final' && !(known && isSame))
        this.#finalPhones.set(index, { phoneme, accuracy, startMs: start_ms, endMs: end_ms });
    }
  }
}

/** What may not change of a phone that is final. */
type FinalPhone = { phoneme: string; accuracy: number | null; startMs: number; endMs: number };

const none: readonly string[] = [];

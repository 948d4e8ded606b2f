import type { ClientMessageInput } from '../protocol/client-messages.ts';

/** A control message that may have to be sent again, and the frame before which it belongs. */
type Control = { type: ClientMessageInput['type']; text: string; utterance: number; afterSeq: number };

/** The control messages of one session that the server has not been seen to act on. */
export class Controls {
  #kept: Control[] = [];
  /** Utterances begun, counted from 0, and the server's id of the first. */
  #utterance = 0;
  #firstUtteranceId = 1;

  beginUtterance(): void {
    this.#utterance += 1;
  }

  firstUtteranceIs(id: number): void {
    this.#firstUtteranceId = id;
  }

  /** Keeps a message that belongs before frame `afterSeq`; the result is its text. */
  add(message: ClientMessageInput, afterSeq: number): string {
    const text = JSON.stringify(message);
    this.#kept.push({ type: message.type, text, utterance: this.#utterance, afterSeq });
    return text;
  }

  /** A copy, in order. */
  pending(): { text: string; afterSeq: number }[] {
    return [...this.#kept];
  }

  /**
   * A resumed server is at this utterance: it has acted on everything that led there, but perhaps
   * not on its `finalize`.
   */
  resumedAt(utteranceId: number): void {
    const reached = utteranceId - this.#firstUtteranceId;
    this.#kept = this.#kept.filter(
      ({ type, utterance }) => utterance > reached || (utterance === reached && type !== 'next_utterance'),
    );
  }

  /**
   * The utterance is final: whatever began or ended it has been acted on. The next one may not have
   * begun.
   */
  finalized(utteranceId: number): void {
    const reached = utteranceId - this.#firstUtteranceId;
    this.#kept = this.#kept.filter(({ utterance }) => utterance > reached);
  }
}

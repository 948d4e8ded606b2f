import type { ClientMessageInput } from '../protocol/client-messages.ts';

/** A control message that may have to be sent again, and the frame before which it belongs. */
type Control = { type: ClientMessageInput['type']; text: string; utterance: number; afterSeq: number };

/** The control messages of one session that the server has not been seen to act on. */
export class Controls {
  #kept: Control[] = [];
  /** Utterances begun, counted from 0, and the server's id of the first. */
  #utterance = 0;
  #firstUtteranceId = 1;
  /** The utterance that the server has reached when it resumed. */
  #reached = 0;

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

  /** The messages that the server has to be told, or told again, in order. */
  pending(): { text: string; afterSeq: number }[] {
    const reached = this.#reached;
    return this.#kept.filter(
      ({ type, utterance }) => utterance > reached || (utterance === reached && type !== 'next_utterance'),
    );
  }

  /**
   * A resumed server is at this utterance: it has acted on everything that led there, but perhaps
   * not on its `finalize`.
   */
  resumedAt(utteranceId: number): void {
    this.#reached = utteranceId - this.#firstUtteranceId;
  }

  /**
   * So many utterances from the first on are final: whatever began or ended them has been done. A
   * goodbye may have to be said again.
   */
  settled(count: number): void {
    this.#kept = this.#kept.filter(({ type, utterance }) => utterance >= count || type === 'close');
  }
}

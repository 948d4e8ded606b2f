import type { ServerMessage } from '../../protocol/server-messages.ts';
import type { StageTimings } from '../../protocol/stages.ts';
import { eachPhone, joinPhones, type WrittenPhone, type WrittenPhones } from '../../protocol/written-phones.ts';

/** A `phoneme_feedback` but for its numbers, with its phones as they are sent. */
export type FeedbackMessage = {
  type: 'phoneme_feedback';
  utterance_id: number;
  rev: number;
  phones: WrittenPhones;
  timing: StageTimings;
};

/** A result that a newer one may overtake before it is sent. */
export type PartialResult = {
  message: FeedbackMessage | Extract<ServerMessage, { type: 'transcript' }>;
  audioMs: number;
  /** The server's clock when the result was made. */
  producedMs: number;
  /** The server's clock when the sound that it covers was read from the socket. */
  arrivedMs: number;
  /** How long the frame is that brought that sound, ms. */
  captureMs?: number | undefined;
};

/** Partial results that wait for room: the latest wins, phone by phone. */
export class PendingResults {
  readonly #waiting = new Map<string, PartialResult>();
  #dropped = { feedback: 0, transcript: 0 };

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  merge(partial: PartialResult): void {
    const key = `${partial.message.type}.${partial.message.utterance_id}`;
    const before = this.#waiting.get(key);
    if (before) this.#dropped[partial.message.type === 'transcript' ? 'transcript' : 'feedback'] += 1;
    this.#waiting.set(key, before ? overtake(before, partial) : partial);
  }

  /**
   * What waits, one feedback and one transcript an utterance, in the order first seen; nothing
   * waits afterwards.
   */
  take(): PartialResult[] {
    const taken = [...this.#waiting.values()];
    this.#waiting.clear();
    return taken;
  }

  /** How many messages were merged away since the last call. */
  takeDropped(): { feedback: number; transcript: number } {
    const counted = this.#dropped;
    this.#dropped = { feedback: 0, transcript: 0 };
    return counted;
  }
}

function overtake(before: PartialResult, after: PartialResult): PartialResult {
  if (before.message.type !== 'phoneme_feedback' || after.message.type !== 'phoneme_feedback') return after;
  const phones = new Map<number, WrittenPhone>();
  for (const phone of [...eachPhone(before.message.phones), ...eachPhone(after.message.phones)]) {
    if (!phones.get(phone.index)?.isFinal) phones.set(phone.index, phone);
  }
  const inOrder = [...phones.values()].sort((a, b) => a.index - b.index);
  return { ...after, message: { ...after.message, phones: joinPhones(inOrder) } };
}

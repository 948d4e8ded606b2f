import { type Delivery, deadHeaders, type QueueRecord, replayHeader, unreadableHeader } from './work-queue.ts';

/** What was put aside, for a person to look at and to have worked on once more. */
export type DeadLetters = {
  /**
   * Hands all that lies there at the time of the call to `visit`, one after the other: letters, and
   * notes of those that were replayed (`replayedPlaceOf`).
   *
   * @throws QueueError; what `visit` throws
   */
  read(visit: (letter: Delivery) => Promise<void>): Promise<void>;
  /**
   * Appends the letter to the work as a new record, and then a note to the letters that it was. One
   * that dies in between may have it replayed twice.
   *
   * @throws QueueError
   */
  replay(letter: Delivery): Promise<void>;
  close(): Promise<void>;
};

/** A record as it is put aside: as it came, why, and how often it was tried. */
export function deadLetterOf(
  { key, value, headers, place }: Delivery,
  reason: string,
  tries: number | undefined,
): QueueRecord {
  const dead = { [deadHeaders.reason]: reason, [deadHeaders.from]: place };
  return { key, value, headers: { ...plain(headers), ...dead, ...(tries && { [deadHeaders.tries]: String(tries) }) } };
}

/**
 * What is put aside of a letter that is larger than the queue takes: all but its content, which
 * stays where it lay for as long as the queue keeps it.
 */
export function stubOf({ key, value, headers }: QueueRecord): QueueRecord {
  const ours: readonly string[] = Object.values(deadHeaders);
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => ours.includes(name)));
  const size = `${value.byteLength} bytes are too many to be put aside: they stay where they lay`;
  const reason = { [deadHeaders.reason]: `${headers[deadHeaders.reason]}; ${size}` };
  return { key: key.length > longestKey ? '' : key, value: new Uint8Array(0), headers: { ...kept, ...reason } };
}

const longestKey = 1000;

/** The letter as work again. Its header tells it from every other replay. */
export function replayOf({ key, value, headers, place, appendedMs }: Delivery): QueueRecord {
  return { key, value, headers: { ...plain(headers), [replayHeader]: `${place}@${appendedMs}` } };
}

/** What is written beside the letters when one was replayed. */
export function replayNoteOf({ key, place }: Delivery): QueueRecord {
  return { key, value: new Uint8Array(0), headers: { [deadHeaders.replayed]: place } };
}

/** The letter that a note is of; undefined: it is none, but a letter. */
export function replayedPlaceOf({ headers }: Delivery): string | undefined {
  return headers[deadHeaders.replayed];
}

/** The headers that the record had before it was put aside or replayed. */
function plain(headers: QueueRecord['headers']): Record<string, string> {
  const ours: readonly string[] = [...Object.values(deadHeaders), replayHeader, unreadableHeader];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ours.includes(name)));
}

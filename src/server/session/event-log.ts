import { eachPhone, joinPhones } from '../../protocol/written-phones.ts';

/**
 * The events of a session that a client may ask for after a dropped socket. A final result stays
 * until the client's socket has confirmed it and the resume window has passed; a provisional phone
 * leaves once a newer result of the same phone is logged, so the log holds about one record a
 * phone. A client that reads nothing does not fill the memory: beyond `maxBytes` the oldest events
 * go, and a resume that would have wanted them is told so.
 */
export class EventLog {
  readonly #keepMs: number;
  readonly #maxBytes: number;
  #entries: Entry[] = [];
  #bytes = 0;
  #confirmedId = 0;
  #forgottenId = 0;
  #tidyAt = tidyEvery;

  /**
   * @param keepMs how long a confirmed event is kept.
   * @param maxBytes of all events, as they are sent.
   */
  constructor({ keepMs, maxBytes }: { keepMs: number; maxBytes: number }) {
    this.#keepMs = keepMs;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of all events that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  add(event: LoggedEvent, nowMs: number): void {
    const bytes = Buffer.byteLength(event.text);
    this.#entries.push({ event, bytes, atMs: nowMs });
    this.#bytes += bytes;
    if (this.#entries.length < this.#tidyAt && this.#bytes <= this.#maxBytes) return;
    this.#forget((entry) => entry.event.id <= this.#confirmedId && nowMs - entry.atMs > this.#keepMs);
    this.#dropOvertaken();
    this.#forget(() => this.#bytes > this.#maxBytes);
    this.#tidyAt = this.#entries.length + tidyEvery;
  }

  /** The client has read everything up to this event. */
  confirm(eventId: number): void {
    this.#confirmedId = Math.max(this.#confirmedId, eventId);
  }

  /**
   * Events after `eventId`, oldest first, as they are sent, and whether older ones that it would
   * have wanted are gone.
   */
  after(eventId: number): { texts: readonly string[]; truncated: boolean } {
    return {
      texts: this.#entries.filter(({ event }) => event.id > eventId).map(({ event }) => event.text),
      truncated: eventId < this.#forgottenId,
    };
  }

  /** Forgets the oldest entries as long as they are `old`. */
  #forget(old: (entry: Entry) => boolean): void {
    let gone = 0;
    while (gone < this.#entries.length && old(this.#entries[gone]!)) this.#bytes -= this.#entries[gone++]!.bytes;
    if (gone === 0) return;
    this.#forgottenId = this.#entries[gone - 1]!.event.id;
    this.#entries.splice(0, gone);
  }

  #dropOvertaken(): void {
    const seen = new Set<number>();
    const left: Entry[] = [];
    for (const entry of this.#entries.reverse()) {
      const event = withoutOvertaken(entry.event, seen);
      if (event === entry.event) left.push(entry);
      else if (event) left.push({ event, bytes: Buffer.byteLength(event.text), atMs: entry.atMs });
    }
    this.#entries = left.reverse();
    this.#bytes = left.reduce((total, { bytes }) => total + bytes, 0);
  }
}

export type LoggedEvent = {
  id: number;
  /** As it is sent. */
  text: string;
  /** The utterance, where it is its transcript. */
  transcriptOf?: number | undefined;
  /** Where in the text its phones are, and those of which utterance. */
  phones?: { utterance: number; marks: readonly number[]; at: number };
};

type Entry = { event: LoggedEvent; bytes: number; atMs: number };

/**
 * The event without what `seen` (of newer events) overtakes; undefined when nothing is left. Adds
 * to `seen`.
 */
function withoutOvertaken(event: LoggedEvent, seen: Set<number>): LoggedEvent | undefined {
  const { transcriptOf, phones } = event;
  if (transcriptOf !== undefined) return firstSight(keyOf(transcriptOf, -1), seen) ? event : undefined;
  if (!phones) return event;
  const end = phones.at + phones.marks.at(-1)!;
  const all = eachPhone({ text: event.text.slice(phones.at, end), marks: phones.marks });
  const left = all.filter(({ index, isFinal }) => firstSight(keyOf(phones.utterance, index), seen) || isFinal);
  if (left.length === all.length) return event;
  if (left.length === 0) return undefined;
  const { text, marks } = joinPhones(left);
  const cut = event.text.slice(0, phones.at) + text + event.text.slice(end);
  // Written anew: parts of a string keep the whole of it in memory.
  return { id: event.id, text: Buffer.from(cut).toString(), phones: { ...phones, marks } };
}

/** A number for each phone of each utterance, and for its transcript (-1). */
function keyOf(utterance: number, index: number): number {
  return utterance * mostPhones + index + 1;
}

function firstSight(key: number, seen: Set<number>): boolean {
  const { size } = seen;
  return seen.add(key).size > size;
}

/** Beyond the phones of any text; utterances times this are whole numbers still. */
const mostPhones = 2 ** 24;

/** Events between two tidyings: their cost is spread thin. */
const tidyEvery = 64;

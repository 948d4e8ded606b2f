import type { ServerEvent } from '../../protocol/server-messages.ts';

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

  /** @param text the event as it is sent. */
  add(event: ServerEvent, text: string, nowMs: number): void {
    const bytes = Buffer.byteLength(text);
    // What may be overtaken is kept as it can be looked into, the rest as the text that is sent: a
    // tenth of the memory.
    const kept = event.type === 'phoneme_feedback' || event.type === 'transcript' ? event : text;
    this.#entries.push({ id: event.event_id, kept, bytes, atMs: nowMs });
    this.#bytes += bytes;
    if (this.#entries.length < this.#tidyAt && this.#bytes <= this.#maxBytes) return;
    this.#forget((entry) => entry.id <= this.#confirmedId && nowMs - entry.atMs > this.#keepMs);
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
    const wanted = this.#entries.filter(({ id }) => id > eventId);
    return {
      texts: wanted.map(({ kept }) => (typeof kept === 'string' ? kept : JSON.stringify(kept))),
      truncated: eventId < this.#forgottenId,
    };
  }

  /** Forgets the oldest entries as long as they are `old`. */
  #forget(old: (entry: Entry) => boolean): void {
    let gone = 0;
    while (gone < this.#entries.length && old(this.#entries[gone]!)) this.#bytes -= this.#entries[gone++]!.bytes;
    if (gone === 0) return;
    this.#forgottenId = this.#entries[gone - 1]!.id;
    this.#entries.splice(0, gone);
  }

  #dropOvertaken(): void {
    const seen = new Set<string>();
    const left: Entry[] = [];
    for (const entry of this.#entries.reverse()) {
      const kept = typeof entry.kept === 'string' ? entry.kept : withoutOvertaken(entry.kept, seen);
      if (kept === undefined) continue;
      if (kept !== entry.kept) entry.bytes = Buffer.byteLength(JSON.stringify(kept));
      left.push({ ...entry, kept });
    }
    this.#entries = left.reverse();
    this.#bytes = left.reduce((total, { bytes }) => total + bytes, 0);
  }
}

type Entry = { id: number; kept: ServerEvent | string; bytes: number; atMs: number };

/**
 * The event without what `seen` (of newer events) overtakes; undefined when nothing is left. Adds
 * to `seen`.
 */
function withoutOvertaken(event: ServerEvent, seen: Set<string>): ServerEvent | undefined {
  if (event.type === 'transcript') return firstSight(`t${event.utterance_id}`, seen) ? event : undefined;
  if (event.type !== 'phoneme_feedback') return event;
  const phonemes = event.phonemes.filter(
    (phone) => firstSight(`p${event.utterance_id}.${phone.index}`, seen) || phone.status === 'final',
  );
  if (phonemes.length === event.phonemes.length && phonemes.length > 0) return event;
  return phonemes.length === 0 ? undefined : { ...event, phonemes };
}

function firstSight(key: string, seen: Set<string>): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** Events between two tidyings: their cost is spread thin. */
const tidyEvery = 64;

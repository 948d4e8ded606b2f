import type { ServerEvent } from '../../protocol/server-messages.ts';

/**
 * The events of a session that a client may ask for after a dropped socket. A final result stays
 * until the client's socket has confirmed it and the resume window has passed; a provisional phone
 * leaves once a newer result of the same phone is logged, so the log holds about one record a
 * phone.
 */
export class EventLog {
  readonly #keepMs: number;
  #entries: { event: ServerEvent; atMs: number }[] = [];
  #confirmedId = 0;
  #forgottenId = 0;
  #tidyAt = tidyEvery;

  /** @param keepMs how long a confirmed event is kept. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  add(event: ServerEvent, nowMs: number): void {
    this.#entries.push({ event, atMs: nowMs });
    if (this.#entries.length < this.#tidyAt) return;
    this.#forget(nowMs);
    this.#dropOvertaken();
    this.#tidyAt = this.#entries.length + tidyEvery;
  }

  /** The client has read everything up to this event. */
  confirm(eventId: number): void {
    this.#confirmedId = Math.max(this.#confirmedId, eventId);
  }

  /**
   * Events after `eventId`, oldest first, and whether older ones that it would have wanted are
   * gone.
   */
  after(eventId: number): { events: readonly ServerEvent[]; truncated: boolean } {
    return {
      events: this.#entries.filter(({ event }) => event.event_id > eventId).map(({ event }) => event),
      truncated: eventId < this.#forgottenId,
    };
  }

  #forget(nowMs: number): void {
    const first = this.#entries.findIndex(
      ({ event, atMs }) => event.event_id > this.#confirmedId || nowMs - atMs <= this.#keepMs,
    );
    const gone = first < 0 ? this.#entries.length : first;
    if (gone > 0) this.#forgottenId = this.#entries[gone - 1]!.event.event_id;
    this.#entries.splice(0, gone);
  }

  #dropOvertaken(): void {
    const seen = new Set<string>();
    const kept = [];
    for (const entry of this.#entries.reverse()) {
      const event = withoutOvertaken(entry.event, seen);
      if (event) kept.push({ event, atMs: entry.atMs });
    }
    this.#entries = kept.reverse();
  }
}

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

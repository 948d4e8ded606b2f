import type { ServerEvent } from '../../protocol/server-messages.ts';

/**
 * The events of a session that a client may ask for after a dropped socket. A final result stays until the client's
 * socket has confirmed it and the resume window has passed; a provisional phone leaves once a newer result of the same
 * phone is logged, so the log holds about one record a phone.
 */
export type EventLog = {
  add(event: ServerEvent, nowMs: number): void;
  /** The client has read everything up to this event. */
  confirm(eventId: number): void;
  /** Events after `eventId`, oldest first, and whether older ones that it would have wanted are gone. */
  after(eventId: number): { events: readonly ServerEvent[]; truncated: boolean };
  readonly size: number;
};

/** @param keepMs how long a confirmed event is kept. */
export function createEventLog(keepMs: number): EventLog {
  let entries: { event: ServerEvent; atMs: number }[] = [];
  let confirmedId = 0;
  let forgottenId = 0;
  let tidyAt = tidyEvery;
  return {
    add(event, nowMs) {
      entries.push({ event, atMs: nowMs });
      if (entries.length < tidyAt) return;
      forget(nowMs);
      dropOvertaken();
      tidyAt = entries.length + tidyEvery;
    },
    confirm(eventId) {
      confirmedId = Math.max(confirmedId, eventId);
    },
    after: (eventId) => ({
      events: entries.filter(({ event }) => event.event_id > eventId).map(({ event }) => event),
      truncated: eventId < forgottenId,
    }),
    get size() {
      return entries.length;
    },
  };

  function forget(nowMs: number): void {
    const first = entries.findIndex(({ event, atMs }) => event.event_id > confirmedId || nowMs - atMs <= keepMs);
    const gone = first < 0 ? entries.length : first;
    if (gone > 0) forgottenId = entries[gone - 1]!.event.event_id;
    entries.splice(0, gone);
  }

  function dropOvertaken(): void {
    const seen = new Set<string>();
    const kept = [];
    for (const entry of entries.reverse()) {
      const event = withoutOvertaken(entry.event, seen);
      if (event) kept.push({ event, atMs: entry.atMs });
    }
    entries = kept.reverse();
  }
}

/** The event without what `seen` (of newer events) overtakes; undefined when nothing is left. Adds to `seen`. */
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

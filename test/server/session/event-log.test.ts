import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhonemeResult } from '../../../src/protocol/result.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { writePhones } from '../../../src/protocol/written-phones.ts';
import { EventLog, type LoggedEvent } from '../../../src/server/session/event-log.ts';
import { phoneResult } from '../../kit/server/phone.ts';

const keepMs = 1000;
/** Events after which the log has been tidied. */
const tidied = 64;

describe('the log of events', () => {
  it('gives what came after an event, oldest first', () => {
    const log = filled([speech(1), speech(2), speech(3)]);
    expect(idsAfter(log, 1)).toEqual([2, 3]);
    expect(log.after(0).truncated).toBe(false);
    expect(log.after(3)).toEqual({ texts: [], truncated: false });
  });

  it('forgets what was confirmed and is older than the resume window, and says so to whoever wanted it', () => {
    const log = new EventLog({ keepMs, maxBytes: 1e6 });
    for (let id = 1; id < tidied; id++) add(log, speech(id), id <= 10 ? 0 : 1);
    log.confirm(20);
    add(log, speech(tidied), keepMs + 1);
    expect(idsAfter(log, 0)[0]).toBe(11);
    expect([0, 9, 10, 11].map((id) => log.after(id).truncated)).toEqual([true, true, false, false]);
  });

  it('keeps what was not confirmed, however old', () => {
    const log = new EventLog({ keepMs, maxBytes: 1e6 });
    for (let id = 1; id < tidied; id++) add(log, speech(id), 0);
    log.confirm(5);
    log.confirm(3);
    add(log, speech(tidied), 1e9);
    expect(idsAfter(log, 0)[0]).toBe(6);
  });

  it('forgets all there is when all of it is confirmed and old', () => {
    const log = new EventLog({ keepMs, maxBytes: 1e6 });
    log.confirm(1e9);
    for (let id = 1; id < tidied; id++) add(log, speech(id), 0);
    add(log, speech(tidied), keepMs);
    expect(idsAfter(log, 0)).toHaveLength(tidied);
    for (let id = tidied + 1; id <= 2 * tidied + 1; id++) add(log, speech(id), -1);
    for (let id = 2 * tidied + 2; id <= 4 * tidied; id++) add(log, speech(id), 1e9);
    expect(idsAfter(log, 0)[0]).toBeGreaterThan(2 * tidied + 1);
  });

  it('lets the oldest events go when all together are too large, and says so to whoever wanted them', () => {
    const bytes = JSON.stringify(final(1)).length;
    const log = new EventLog({ keepMs, maxBytes: 3.5 * bytes });
    for (let id = 1; id <= 3; id++) add(log, final(id), 0);
    expect([idsAfter(log, 0), log.after(0).truncated]).toEqual([[1, 2, 3], false]);
    add(log, final(4), 0);
    expect([idsAfter(log, 0), log.after(0).truncated, log.after(1).truncated]).toEqual([[2, 3, 4], true, false]);
    expect(log.bytes).toBe(3 * bytes);
  });

  it('drops what was overtaken before it lets anything go', () => {
    const log = new EventLog({ keepMs, maxBytes: 4 * JSON.stringify(phones(1, [phoneResult(0)])).length });
    add(log, phones(1, [phoneResult(1, 'final')]), 0);
    for (let id = 2; id <= 9; id++) add(log, phones(id, [phoneResult(0)]), 0);
    expect(idsAfter(log, 0)[0]).toBe(1);
    expect(log.after(0).truncated).toBe(false);
  });

  it('counts the bytes of what is not ASCII', () => {
    const log = new EventLog({ keepMs, maxBytes: 1000 });
    log.add({ id: 1, text: 'ä' }, 0);
    expect(log.bytes).toBe(2);
  });

  it('is tidied each 64 events, not oftener', () => {
    const log = new EventLog({ keepMs, maxBytes: 1e6 });
    log.confirm(1e9);
    for (let id = 1; id < tidied; id++) add(log, speech(id), id * 10_000);
    expect(idsAfter(log, 0)).toHaveLength(tidied - 1);
    add(log, speech(tidied), tidied * 10_000);
    expect(idsAfter(log, 0)).toEqual([tidied]);
    for (let id = tidied + 1; id < 2 * tidied; id++) add(log, speech(id), id * 10_000);
    expect(idsAfter(log, 0)).toHaveLength(tidied);
    add(log, speech(2 * tidied), 2 * tidied * 10_000);
    expect(idsAfter(log, 0)).toEqual([2 * tidied]);
  });

  it('drops a provisional phone once a newer record of it is there, and an event once nothing of it is left', () => {
    const log = filled([
      phones(1, [phoneResult(0), phoneResult(1)]),
      phones(2, [phoneResult(0)]),
      phones(3, [phoneResult(0, 'final')]),
      phones(4, [phoneResult(1, 'final')], 2),
      ...fillers(5),
    ]);
    expect(eventsAfter(log, 0).slice(0, 3)).toEqual([
      phones(1, [phoneResult(1)]),
      phones(3, [phoneResult(0, 'final')]),
      phones(4, [phoneResult(1, 'final')], 2),
    ]);
  });

  it('drops a transcript once a newer one of the same utterance is there', () => {
    const log = filled([transcript(1), transcript(2, 2), transcript(3), transcript(4), ...fillers(5)]);
    expect(idsAfter(log, 0).slice(0, 3)).toEqual([2, 4, 5]);
  });

  it('does not drop a phone for a transcript, nor what is neither', () => {
    const log = filled([phones(1, [phoneResult(1)]), transcript(2), speech(3), speech(4), ...fillers(5)]);
    expect(idsAfter(log, 0).slice(0, 4)).toEqual([1, 2, 3, 4]);
  });

  it('keeps an event of several utterances apart from those of others', () => {
    const log = filled([phones(1, [phoneResult(7)], 1), phones(2, [phoneResult(7)], 2), ...fillers(3)]);
    expect(idsAfter(log, 0).slice(0, 2)).toEqual([1, 2]);
  });

  it('whatever is logged and confirmed, has every final after any event that a client may name', () => {
    const step = fc.record({
      index: fc.nat(5),
      status: fc.constantFrom('provisional', 'final'),
      passMs: fc.nat(200),
      confirm: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 300 }), fc.nat(300), (steps, behind) => {
        const log = new EventLog({ keepMs, maxBytes: 1e6 });
        const finals: number[] = [];
        let nowMs = 0;
        let confirmed = 0;
        for (const [i, { index, status, passMs, confirm }] of steps.entries()) {
          nowMs += passMs;
          if (status === 'final') finals.push(i + 1);
          add(log, phones(i + 1, [phoneResult(index, status as PhonemeResult['status'])]), nowMs);
          if (!confirm || i <= behind) continue;
          confirmed = i - behind;
          log.confirm(confirmed);
        }
        const said = idsAfter(log, confirmed);
        expect(log.after(confirmed).truncated).toBe(false);
        expect(said).toEqual([...said].sort((a, b) => a - b));
        expect(said).toEqual(expect.arrayContaining(finals.filter((id) => id > confirmed)));
      }),
    );
  });
});

function filled(events: readonly ServerEvent[]): EventLog {
  const log = new EventLog({ keepMs, maxBytes: 1e6 });
  for (const event of events) add(log, event, 0);
  return log;
}

/** Enough events for the log to be tidied, from `first` on. */
function fillers(first: number): ServerEvent[] {
  return Array.from({ length: tidied - first + 1 }, (_, i) => speech(first + i));
}

function add(log: EventLog, event: ServerEvent, nowMs: number): void {
  const text = JSON.stringify(event);
  log.add({ id: event.event_id, text, ...overtaken(event, text) }, nowMs);
}

/** What the log is told of an event that newer ones overtake. */
function overtaken(event: ServerEvent, text: string): Partial<LoggedEvent> {
  if (event.type === 'transcript') return { transcriptOf: event.utterance_id };
  if (event.type !== 'phoneme_feedback') return {};
  const { text: written, marks } = writePhones(event.phonemes);
  return { phones: { utterance: event.utterance_id, marks, at: text.indexOf(written) } };
}

function eventsAfter(log: EventLog, id: number): ServerEvent[] {
  return log.after(id).texts.map((text) => JSON.parse(text));
}

function idsAfter(log: EventLog, id: number): number[] {
  return eventsAfter(log, id).map((event) => event.event_id);
}

function speech(event_id: number): ServerEvent {
  return { event_id, audio_ms: 0, type: 'speech', state: 'began', at_ms: 0 };
}

function final(event_id: number): ServerEvent {
  return { event_id, audio_ms: 0, type: 'utterance_final', utterance_id: 1 } as unknown as ServerEvent;
}

function transcript(event_id: number, utterance_id = 1): ServerEvent {
  return { event_id, audio_ms: 0, type: 'transcript', utterance_id } as unknown as ServerEvent;
}

function phones(event_id: number, phonemes: readonly PhonemeResult[], utterance_id = 1): ServerEvent {
  return { event_id, audio_ms: 0, type: 'phoneme_feedback', utterance_id, rev: 1, phonemes, timing: {} };
}

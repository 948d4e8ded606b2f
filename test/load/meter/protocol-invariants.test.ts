import { describe, expect, it } from 'vitest';
import { PhoneWatch } from '../../../src/load/meter/phoneme-watch.ts';
import { InvariantWatch } from '../../../src/load/meter/protocol-invariants.ts';
import { namedParts, splitLatency } from '../../../src/metrics/latency-stages.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { phoneAt } from '../../kit/fake-server.ts';

describe('a promise of the protocol', () => {
  it.each<[string, ServerEvent[], string[]]>([
    ['ids that rise by one are kept', [ack(1, 0), ack(2, 5), ack(3, 5)], []],
    ['an id that skips is broken', [ack(1, 0), ack(3, 1)], ['event_id 3 after 1']],
    ['an id that repeats is broken', [ack(1, 0), ack(1, 1)], ['event_id 1 after 1']],
    ['after a resume ids may skip', [ack(1, 0), resumed(1), ack(4, 1)], []],
    ['after a resume ids may not repeat', [ack(4, 0), resumed(4), ack(3, 1)], ['event_id 3 after 4']],
    ['who may not resume is told so by number 0', [ack(4, 0), refused(0), resumed(4), ack(5, 1)], []],
    ['a late final may skip ids', [ack(1, 0), { ...final(9), late: true } as ServerEvent], []],
    ['an error of the session has a number', [ack(4, 0), refused(3)], ['event_id 3 after 4']],
    ['an ack that goes back is broken', [ack(1, 9), ack(2, 8)], ['ack went back from 9 to 8']],
    ['an ack beyond what was sent is broken', [ack(1, 101)], ['ack of 101 frames when 100 were sent']],
    ['a final phone may be said again as it was', [phones(1, 1, [90]), phones(2, 1, [90])], []],
    ['a final phone that changes is broken', [phones(1, 1, [90]), phones(2, 1, [70])], ['final phone 0 changed']],
    ['another utterance has phones of its own', [phones(1, 1, [90]), phones(2, 2, [70])], []],
    ['feedback after the final is broken', [final(1), phones(2, 1, [90])], ['phoneme_feedback after utterance_final']],
    ['a transcript after the final is broken', [final(1), transcript(2)], ['transcript after utterance_final']],
    ['a second final is broken', [final(1), final(2)], ['a second utterance_final']],
  ])('%s', (_, events, broken) => {
    const watch = new InvariantWatch();
    expect(events.flatMap((event) => watch.check(event, 100))).toEqual(broken);
  });
});

describe('a phone', () => {
  it.each([
    [
      'is scored late',
      [
        ['provisional', 350],
        ['final', 500],
      ],
      [150, 300],
    ],
    [
      'is scored before it ends: 80 ms early',
      [
        ['provisional', 120],
        ['final', 260],
      ],
      [-80, 60],
    ],
    ['is final at once', [['final', 300]], [100, 100]],
  ] as const)('that %s', (_, seen, expected) => {
    const watch = new PhoneWatch();
    const phone = phoneAt(0, 200);
    for (const [status, receivedMs] of seen) watch.see([{ ...phone, status }], receivedMs);
    const found: number[][] = [];
    watch.settle(
      [phone],
      (audioMs) => audioMs,
      (dueMs, first, final) => found.push([first - dueMs, final - dueMs]),
    );
    expect(found).toEqual([expected]);
  });

  it('without a score owes none', () => {
    const watch = new PhoneWatch();
    const phone = { ...phoneAt(0, 200), accuracy: null };
    watch.see([phone], 300);
    watch.settle(
      [phone],
      (audioMs) => audioMs,
      () => expect.unreachable(),
    );
  });
});

describe('the split of a latency', () => {
  const timing = { queue: 10, asr: 5 };
  it.each([
    ['gives the network its round trip, and the rest to nobody', 50, 4, { uplink: 2, downlink: 2, unattributed: 10 }],
    ['gives the network no more than there is', 37, 4, { uplink: 0.5, downlink: 0.5, unattributed: 0 }],
    ['gives it nothing when the server claims more than there was', 20, 4, { uplink: 0, downlink: 0, unattributed: 0 }],
  ])('%s', (_, totalMs, roundTripMs, expected) => {
    const parts = namedParts(splitLatency(totalMs, { captureMs: 20, lateSendMs: 1, roundTripMs, timing }));
    expect(parts).toMatchObject({ capture: 20, late_send: 1, queue: 10, asr: 5, ...expected });
  });

  it.each([
    ['gives the window to its stage', { ...timing, window: 10 }, { window: 10, unattributed: 0 }],
    ['of a server that tells no window leaves it to nobody', timing, { window: 0, unattributed: 10 }],
  ])('%s', (_, told, expected) => {
    const known = { captureMs: 20, lateSendMs: 1, roundTripMs: 4, timing: told };
    expect(namedParts(splitLatency(50, known))).toMatchObject({ uplink: 2, downlink: 2, ...expected });
  });
});

function ack(event_id: number, next_seq: number): ServerEvent {
  return { event_id, audio_ms: 0, type: 'ack', epoch: 0, next_seq, missing: [], buffered_ms: 0 };
}

function resumed(event_id: number): ServerEvent {
  return { event_id, audio_ms: 0, type: 'ready', resumed: true } as ServerEvent;
}

function phones(event_id: number, utterance_id: number, accuracies: number[]): ServerEvent {
  const phonemes = accuracies.map((accuracy, index) => ({ ...phoneAt(index, 100), accuracy }));
  return { event_id, audio_ms: 0, type: 'phoneme_feedback', utterance_id, rev: 1, phonemes, timing: {} };
}

function final(event_id: number): ServerEvent {
  return { event_id, audio_ms: 0, type: 'utterance_final', utterance_id: 1, words: [] } as unknown as ServerEvent;
}

function transcript(id: number): ServerEvent {
  const said = { rev: 1, text: 'a', words: [], is_final: false, stability: 0, deviations: [], timing: {} };
  return { event_id: id, audio_ms: 0, type: 'transcript', utterance_id: 1, ...said };
}

function refused(eventId: number): ServerEvent {
  const message = 'come again';
  return {
    type: 'error',
    event_id: eventId,
    audio_ms: 0,
    code: 'server_busy',
    message,
    retryable: true,
    retry_after_ms: 500,
  };
}

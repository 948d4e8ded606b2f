import { describe, expect, it } from 'vitest';
import { EventOrder } from '../../src/client/event-order.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { feedbackFields, finalFields, readyFields } from '../kit/hostile-server.ts';

const of = (fields: object) => ({ event_id: 1, audio_ms: 0, ...fields }) as ServerEvent;
const ready = (fields = {}) => of({ ...readyFields, ...fields });
const final = (utterance_id: number) => of({ ...finalFields, utterance_id });
const feedback = (utterance_id: number) => of({ ...feedbackFields(0), utterance_id });
const ack = (next_seq: number) => of({ type: 'ack', epoch: 0, next_seq, missing: [], buffered_ms: 0 });
const error = of({ type: 'error', code: 'internal', message: 'x', retryable: true, retry_after_ms: null });
const resumed = 'a new connection';

describe('events in order', () => {
  it.each<[string, (ServerEvent | typeof resumed)[], string | undefined]>([
    ['a session', [ready(), ack(5), feedback(1), final(1), feedback(2), final(2)], undefined],
    ['whose server counts utterances from seven', [ready({ utterance_id: 7 }), feedback(8)], undefined],
    ['an error before ready', [error], undefined],
    [
      'a resumed session',
      [ready(), resumed, ready({ resumed: true, next_seq: 5, utterance_id: 2 }), final(2)],
      undefined,
    ],
    [
      'a late final instead of the ready of a resume',
      [ready(), resumed, of({ ...finalFields, late: true })],
      undefined,
    ],
    ['a late final before any ready', [of({ ...finalFields, late: true })], 'utterance_final: it came before ready'],
    [
      'a late final of an utterance that was never begun',
      [ready(), resumed, of({ ...finalFields, utterance_id: 3, late: true })],
      'utterance_final: utterance_id: 3 was never begun; allowed: 1 to 2',
    ],
    ['a final before ready', [final(1)], 'utterance_final: it came before ready'],
    ['an ack before the ready of a resume', [ready(), resumed, ack(1)], 'ack: it came before ready'],
    ['two readys', [ready(), ready()], 'ready: it came a second time on one connection'],
    ['an ack beyond', [ready(), ack(6)], 'ack: next_seq: 6 is beyond the 5 frames that were sent'],
    [
      'a resume beyond',
      [ready(), resumed, ready({ next_seq: 6 })],
      'ready: next_seq: 6 is beyond the 5 frames that were sent',
    ],
    [
      'a result of the utterance after next',
      [ready(), feedback(3)],
      'phoneme_feedback: utterance_id: 3 was never begun; allowed: 1 to 2',
    ],
    [
      'a result of the one before the first',
      [ready(), final(0)],
      'utterance_final: utterance_id: 0 was never begun; allowed: 1 to 2',
    ],
    [
      'a resume at another utterance',
      [ready(), resumed, ready({ utterance_id: 9 })],
      'ready: utterance_id: 9 was never begun; allowed: 1 to 2',
    ],
  ])('%s: %#', (_, events, expected) => {
    const order = new EventOrder();
    const problems = events.flatMap((event) => {
      if (event === resumed) order.begin();
      else return order.check(event, 5, 1)?.problem ?? [];
      return [];
    });
    expect(problems).toEqual(expected === undefined ? [] : [expected]);
  });
});

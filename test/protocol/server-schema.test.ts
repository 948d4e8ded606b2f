import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAsExpected, isFeedback } from '../../src/protocol/quick-checks.ts';
import { backpressureLevels } from '../../src/protocol/server-messages.ts';
import { readServerEvent, serverEvent } from '../../src/protocol/server-schema.ts';
import { phoneAt } from '../kit/fake-server.ts';
import { finalFields, readyFields } from '../kit/hostile-server.ts';

const timing = { window: 20, ingress: 1, queue: 1, features: 1, asr: 1, scoring: 1, emit: 1 };
const feedback = () => ({
  event_id: 1,
  audio_ms: 100,
  type: 'phoneme_feedback' as const,
  utterance_id: 1,
  rev: 1,
  phonemes: [{ ...phoneAt(3, 100), nbest: [{ phoneme: 'AH', score: 0.5 }] }],
  timing: { ...timing },
});

describe('a server event', () => {
  const rubbish = fc.oneof(
    fc.constantFrom(null, true, '', 'final', 'none', -1, 0, 0.5, 1, 100, 101, 1e9, 1e308, 2 ** 60, 'x'.repeat(65)),
    fc.constantFrom<unknown>([], {}, [0], [[]], { phoneme: 'AH', score: 2 }),
    fc.double(),
  );

  it('of feedback is judged alike by the quick check and by the schema, whatever one of its values is', () => {
    const numbers = ['event_id', 'audio_ms', 'utterance_id', 'rev'] as const;
    const stages = Object.keys(timing).map((name) => ['timing', name]);
    const phone = Object.keys(phoneAt(0, 100)).map((name) => ['phonemes', 0, name]);
    const best = [
      ['phonemes', 0, 'nbest', 0],
      ['phonemes', 0, 'nbest', 0, 'phoneme'],
      ['phonemes', 0, 'nbest', 0, 'score'],
    ];
    const places = [...numbers.map((name) => [name]), ...stages, ...phone, ...best, ['phonemes', 0]];
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...places), rubbish, (place, value) => {
        const event = feedback();
        set(event, place, value);
        const good = isFeedback(event);
        expect('problem' in readServerEvent(event)).toBe(!good);
        seen[good ? 'good' : 'bad'] += 1;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(200);
  });

  it.each(backpressureLevels)('of backpressure may have the level %s', (level) => {
    const dropped = { feedback: 0, transcript: 0 };
    const event = { event_id: 1, audio_ms: 0, type: 'backpressure', level, buffered_bytes: 0, dropped };
    expect(readServerEvent(event)).not.toHaveProperty('problem');
    expect(readServerEvent({ ...event, level: 'other' })).toHaveProperty('problem');
  });

  const transcript = {
    utterance_id: 1,
    rev: 1,
    text: 'a',
    words: [{ word_index: 0, text: 'a', start_ms: 0, end_ms: 100, is_final: true }],
    is_final: false,
    stability: 0.5,
    deviations: [],
    timing,
  };
  const inserted = { phoneme: 'AH', start_ms: 0, end_ms: 60, confidence: 0.5, error_type: 'insertion' };
  const moreOfFinal = {
    late: true,
    text: 'a',
    backend: 'local',
    words: [
      {
        ...finalFields.words[0],
        pronunciation: { source: 'given', variant: 0, reading: 'a' },
        phonemes: feedback().phonemes,
      },
    ],
    deviations: [{ kind: 'inserted', first_word: 0, last_word: 1, start_ms: 0, end_ms: 60, phonemes: [inserted] }],
  };
  it.each<[string, object]>([
    ['ack', { epoch: 0, next_seq: 5, missing: [], buffered_ms: 0 }],
    ['transcript', transcript],
    ['speech', { state: 'began', at_ms: 120 }],
    ['utterance_final', finalFields],
    ['utterance_final', { ...finalFields, ...moreOfFinal }],
    ['ready', { ...readyFields, region: 'eu', backend: 'local', scores_phones: false }],
  ])(
    'of type %s is never taken by the quick check where the schema would not, and quickly as a rule',
    (type, fields) => {
      const whole = { event_id: 1, audio_ms: 0, type, ...fields };
      expect(isAsExpected(whole)).toBe(true);
      expect(readServerEvent({ ...whole, audio_ms: -1 })).toHaveProperty('problem');
      fc.assert(
        fc.property(fc.constantFrom(...placesIn(whole)), rubbish, (place, value) => {
          const event = structuredClone(whole);
          set(event, place, value);
          if (isAsExpected(event)) expect(serverEvent.safeParse(event).success).toBe(true);
        }),
        { numRuns: 2000 },
      );
    },
  );

  it.each([
    ['ready', readyFields],
    ['utterance_final', finalFields],
    ['phoneme_feedback', feedback()],
  ])('%s is refused in one short sentence, or taken, whatever stands anywhere in it', (type, fields) => {
    const whole = { event_id: 1, audio_ms: 0, ...fields };
    expect(readServerEvent(whole)).toEqual(whole);
    // By name, as what fast-check prints of a value is as deep as it.
    const huge: Record<string, unknown> = { long: 'x'.repeat(1e6), wide: Array(1e5).fill(null), deep: nest(5000) };
    fc.assert(
      fc.property(
        fc.constantFrom(...placesIn(whole)),
        fc.oneof(rubbish, fc.constantFrom(...Object.keys(huge))),
        (place, value) => {
          const event = JSON.parse(JSON.stringify(whole));
          set(event, place, typeof value === 'string' && value in huge ? huge[value] : value);
          const read = readServerEvent(event);
          if (!('problem' in read)) return;
          expect(read.problem.length).toBeLessThan(300);
          if (place[0] !== 'type') expect(read.problem).toMatch(new RegExp(`^${type}: `));
          expect(read.kind).not.toMatch(/\.\d/);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is kept without what is not known of it', () => {
    expect(readServerEvent({ event_id: 1, audio_ms: 0, type: 'go_away', deadline_ms: 5, more: nest(100) })).toEqual({
      event_id: 1,
      audio_ms: 0,
      type: 'go_away',
      deadline_ms: 5,
      reason: 'shutdown',
      retry_after_ms: null,
      return_ticket: null,
    });
  });

  it('of an error is cut between two words', () => {
    const event = {
      event_id: 0,
      audio_ms: 0,
      type: 'error',
      code: 'of_tomorrow',
      retryable: false,
      retry_after_ms: null,
    };
    const message = `${'word '.repeat(99)}${'secret'.repeat(100)}`;
    expect(readServerEvent({ ...event, message })).toMatchObject({
      message: `${'word '.repeat(99)}... (1095 characters)`,
    });
  });
});

function set(object: object, [key, ...rest]: readonly (string | number)[], value: unknown): void {
  const fields = object as Record<string | number, unknown>;
  if (rest.length === 0) fields[key!] = value;
  else set(fields[key!] as object, rest, value);
}

/** Every place in a value of JSON. */
function placesIn(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = Array.isArray(value) ? Number(key) : key;
    return [[own], ...placesIn(inner).map((rest) => [own, ...rest])];
  });
}

function nest(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../src/client/events.ts';
import { Scanner } from '../../src/client/json-scanner.ts';
import { isDeferrable, scanEvent } from '../../src/client/scan-event.ts';
import { phoneAt } from '../kit/fake-server.ts';

/** A number as our server writes it: whole, or of up to three decimals. */
const number = fc.oneof(
  fc.nat(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 46 }).map((us) => us / 1000),
);
const inServer = fc.record({
  ingress: number,
  queue: number,
  features: number,
  asr: number,
  scoring: number,
  emit: number,
});
/** Of today's server, and of one from before it told the window. */
const timing = fc.oneof(
  fc.tuple(number, inServer).map(([window, rest]) => ({ window, ...rest })),
  inServer,
);
/** What stands in a text of JSON as it is. */
const plain = fc.string({ maxLength: 30, unit: fc.constantFrom(..."AHabc -'.é¿") });
const share = fc.double({ min: 0.001, max: 1, noNaN: true });
const nbest = fc.array(fc.record({ phoneme: plain, score: number }), { maxLength: 3 });
const phones = fc.array(
  fc
    .record({ index: fc.nat(50), phoneme: plain, unscored: fc.boolean(), gop: number, nbest })
    .map(({ index, phoneme, unscored, gop, nbest }) => {
      const { error_type, ...head } = phoneAt(index, 100 * index);
      const scored = unscored ? { gop: null, accuracy: null } : { gop };
      // In the order in which a server writes them.
      const { word_index, start_ms, end_ms, status, accuracy, confidence } = { ...head, ...scored };
      return {
        ...{ index, word_index, phoneme, start_ms, end_ms, status, gop: scored.gop, accuracy, confidence, error_type },
        nbest,
      };
    }),
  { maxLength: 3 },
);
const feedback = fc
  .record({ event_id: fc.nat(), audio_ms: number, utterance_id: fc.nat(), rev: fc.nat(), phonemes: phones, timing })
  .map(({ event_id, audio_ms, ...rest }) => ({ event_id, audio_ms, type: 'phoneme_feedback', ...rest }));

const head = { event_id: fc.nat(), audio_ms: number };
const place = { utterance_id: fc.nat(), rev: fc.nat() };
const words = fc.array(
  fc.record({ word_index: fc.nat(), text: plain, start_ms: number, end_ms: number, is_final: fc.boolean() }),
  { maxLength: 4 },
);
const transcript = fc
  .record({ ...head, ...place, text: plain, words, is_final: fc.boolean(), stability: share, timing })
  .map(({ event_id, audio_ms, timing, ...rest }) => {
    return { event_id, audio_ms, type: 'transcript', ...rest, deviations: [], timing };
  });
const ack = fc
  .record({ ...head, epoch: fc.nat(), next_seq: fc.nat(), buffered_ms: number, keep: fc.option(fc.nat()) })
  .map(({ event_id, audio_ms, epoch, next_seq, buffered_ms, keep }) => {
    const rest = { epoch, next_seq, missing: [], buffered_ms, ...(keep !== null && { keep_from: keep }) };
    return { event_id, audio_ms, type: 'ack', ...rest };
  });
const event: fc.Arbitrary<object> = fc.oneof(feedback, transcript, ack);

/** The text amid others, as in a buffer that many connections share. */
function scan(text: string): unknown {
  const bytes = Buffer.from(`9${text}9`);
  return scanEvent(bytes, 1, bytes.length - 1);
}

describe('scanning an event', () => {
  it('gives what JSON.parse gives of every event as our server writes it', () => {
    fc.assert(
      fc.property(event, (event) => {
        expect(scan(JSON.stringify(event))).toEqual(event);
      }),
      { numRuns: 1000 },
    );
  });

  it('never gives what JSON.parse would not, whatever was done to the text', () => {
    const edit = fc.record({
      at: fc.nat(400),
      cut: fc.nat(3),
      put: fc.string({ maxLength: 3, unit: fc.constantFrom(...'{}[]",:.0-e1 \\é') }),
    });
    let scanned = 0;
    fc.assert(
      fc.property(event, fc.array(edit, { minLength: 1, maxLength: 2 }), (event, edits) => {
        let text = JSON.stringify(event);
        for (const { at, cut, put } of edits) {
          const place = at % text.length;
          text = text.slice(0, place) + put + text.slice(place + cut);
        }
        const given = scan(text);
        if (given === undefined) return;
        scanned += 1;
        expect(given).toEqual(JSON.parse(text));
      }),
      { numRuns: 4000 },
    );
    expect(scanned).toBeGreaterThan(20);
  });

  it('is not misled by labels that fall into one place of those that are remembered', () => {
    const labels = fc.string({ minLength: 1, maxLength: 24, unit: fc.constantFrom(...'AaBb') });
    fc.assert(
      fc.property(fc.array(labels, { minLength: 200, maxLength: 400 }), (texts) => {
        const words = texts.map((text, i) => ({ word_index: i, text, start_ms: 0, end_ms: 1, is_final: true }));
        const [given] = fc.sample(transcript, { numRuns: 1, seed: texts.length });
        const all = { ...given, words };
        expect(scan(JSON.stringify(all))).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['0', 0],
    ['-0.5', -0.5],
    ['0.1', 0.1],
    ['123456789012.345', 123456789012.345],
    ['999999999999999', 999999999999999],
    ['65.932', 65.932],
    ['0.8571428571428571', 0.8571428571428571],
    ['-407.28174397558905', -407.28174397558905],
  ])('reads the number %s as it is', (text, value) => {
    expect(scan(withAudioMs(text))).toMatchObject({ audio_ms: value });
  });

  it.each([
    '00',
    '01',
    '1.',
    '.5',
    '-',
    '',
    '1e3',
    '1E3',
    '+1',
    '1.2.3',
    '1234567890123456',
    `0.${'1'.repeat(40)}`,
    'null',
    '"1"',
    ' 1',
  ])('leaves the number %j to JSON.parse', (text) => expect(scan(withAudioMs(text))).toBeUndefined());
});

describe('an event', () => {
  it.each([
    ['feedback with its keys in another order', JSON.stringify({ rev: 2, ...JSON.parse(withAudioMs('1')) }), true],
    ['another event', '{"event_id":1,"audio_ms":2,"type":"speech","state":"began","at_ms":1}', true],
    ['feedback with blanks', withAudioMs('1').replaceAll(',', ', '), true],
    ['feedback without a stage', withAudioMs('1').replace('"queue":1,', ''), true],
    ['feedback of a server that tells no window', withAudioMs('1').replace('"window":20,', ''), true],
    ['feedback whose window is last', withAudioMs('1').replace('"emit":1', '"emit":1,"window":20'), true],
    ['feedback without its phones', withAudioMs('1').replace('"phonemes":[],', ''), false],
    ['feedback of a phone that is none', withAudioMs('1').replace('[]', '[{}]'), false],
    ['feedback before the sound', withAudioMs('-1'), false],
    ['no JSON', 'garbage', false],
    ['JSON of another kind', '[1]', false],
    ['an event without a number', '{"type":"ack","audio_ms":2}', false],
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), false],
    ['feedback whose phones are no UTF-8', badPhones(), false],
  ])('is seen or not: %s', (_, text, is) => {
    const bytes = Buffer.from(text);
    expect('problem' in parseEvent(bytes, 0, bytes.length)).toBe(!is);
  });
});

it.each([
  [withAudioMs('100'), true],
  ['{"event_id":2,"audio_ms":20,"type":"ack","epoch":0,"next_seq":1,"missing":[],"buffered_ms":20}', true],
  ['{"event_id":3,"audio_ms":20,"type":"transcript","utterance_id":1}', true],
  ['{"event_id":41,"audio_ms":3060,"type":"utterance_final","utterance_id":1}', false],
  ['{"event_id":1,"audio_ms":0,"type":"ready"}', false],
  ['{"event_id":1,"audio_ms":0,"type":"error","code":"busy"}', false],
  ['{"type":"phoneme_feedback","event_id":1,"audio_ms":2}', false],
  ['{"event_id":1,"audio_ms":0,"type":"ac', false],
  ['', false],
])('%s may wait: %s', (text, may) => {
  const bytes = Buffer.from(`${text}knowledge"`);
  const scanner = new Scanner();
  scanner.begin(bytes, 0, Buffer.byteLength(text));
  expect(isDeferrable(scanner)).toBe(may);
});

function withAudioMs(text: string): string {
  const timing = '{"window":20,"ingress":1,"queue":1,"features":1,"asr":1,"scoring":1,"emit":1}';
  return `{"event_id":1,"audio_ms":${text},"type":"phoneme_feedback","utterance_id":1,"rev":1,"phonemes":[],"timing":${timing}}`;
}

function badPhones(): Buffer {
  const text = withAudioMs('1').replace('[]', '["?("]');
  const bytes = Buffer.from(text);
  bytes[bytes.indexOf('?')] = 0xc3;
  return bytes;
}

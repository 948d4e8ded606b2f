import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhonemeResult } from '../../src/protocol/result.ts';
import { eachPhone, joinPhones, withoutAlternatives, writePhones } from '../../src/protocol/written-phones.ts';
import { phonesOf } from '../kit/server/phone.ts';

const score = fc.oneof(
  fc.double({ min: -1000, max: 1000, noNaN: true }),
  fc.tuple(fc.integer(), fc.constantFrom(10, 1000, 10_000, 100_000)).map(([steps, unit]) => steps / unit),
  fc.constantFrom(0, -0, 0.1, -14.0001, 5e-324, -1e21, 2 ** 31, -(2 ** 31), 214_748.3648, 0.30000000000000004),
);
const someName = fc.oneof(fc.constantFrom('AA', 'TH', '"nbest":', '\\', 'ɹ̩', '\u0007', ','), fc.string());
const somePhone: fc.Arbitrary<PhonemeResult> = fc.record(
  {
    index: fc.nat(8000),
    word_index: fc.nat(500),
    phoneme: someName,
    start_ms: fc.oneof(fc.nat(3_600_000), score),
    end_ms: fc.nat(3_600_000),
    status: fc.constantFrom('provisional', 'final'),
    gop: fc.option(score),
    accuracy: fc.option(score),
    confidence: score,
    error_type: fc.constantFrom('none', 'substitution', 'omission', 'insertion', 'unscored'),
    nbest: fc.array(fc.record({ phoneme: someName, score }, { noNullPrototype: true }), { maxLength: 3 }),
  },
  { noNullPrototype: true },
);
const somePhones = fc.array(somePhone, { maxLength: 8 });

describe('written phones', () => {
  it('are what JSON.stringify writes, on the clock of the session', () => {
    fc.assert(
      fc.property(somePhones, fc.nat(3_600_000), (phones, startMs) => {
        const shifted = phones.map((phone) => ({
          ...phone,
          start_ms: phone.start_ms + startMs,
          end_ms: phone.end_ms + startMs,
        }));
        expect(`[${writePhones(phones, startMs).text}]`).toBe(JSON.stringify(shifted));
      }),
    );
  });

  it('have null for what is no number, as JSON does', () => {
    const [phone] = fc.sample(somePhone, 1);
    const written = writePhones([{ ...phone!, gop: Number.NaN, confidence: Number.POSITIVE_INFINITY }]);
    expect(phonesOf({ phones: written })[0]).toMatchObject({ gop: null, confidence: null });
  });

  it('are told apart and joined again without loss', () => {
    fc.assert(
      fc.property(somePhones, (phones) => {
        const written = writePhones(phones);
        expect(eachPhone(written)).toEqual(
          phones.map((phone) => ({
            index: phone.index,
            isFinal: phone.status === 'final',
            text: JSON.stringify(phone),
          })),
        );
        expect(joinPhones(eachPhone(written))).toEqual(written);
      }),
    );
  });

  it('lose what else they may have been, and nothing more', () => {
    fc.assert(
      fc.property(somePhone, (phone) => {
        const [written] = eachPhone(writePhones([phone]));
        expect(withoutAlternatives(written!).text).toBe(JSON.stringify({ ...phone, nbest: [] }));
      }),
    );
  });
});

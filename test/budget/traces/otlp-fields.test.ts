import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributesOf, idAt, listAt, otlpField, unixMs } from '../../../src/budget/traces/otlp-fields.ts';

describe('the fields of an OTLP document', () => {
  it.each<[unknown, string, unknown]>([
    [{ spanId: 'a' }, 'spanId', 'a'],
    [{ span_id: 'a' }, 'spanId', 'a'],
    [{ start_time_unix_nano: 0 }, 'startTimeUnixNano', 0],
    [{ spanId: 'a', span_id: 'b' }, 'spanId', 'a'],
    [{ spanId: null, span_id: 'b' }, 'spanId', null],
    [{ name: '' }, 'name', ''],
    [{}, 'spanId', undefined],
    [null, 'spanId', undefined],
    [undefined, 'spanId', undefined],
    ['text', 'length', undefined],
    [7, 'spanId', undefined],
  ])('%j: %s is %j', (owner, key, value) => expect(otlpField(owner, key)).toBe(value));

  it.each<[unknown, unknown]>([
    [{ spans: [1] }, [1]],
    [{ spans: [] }, []],
    [{ spans: { 0: 1, length: 1 } }, undefined],
    [{ spans: 'text' }, undefined],
    [{}, undefined],
    [null, undefined],
  ])('%j: its list of spans is %j', (owner, list) => expect(listAt(owner, 'spans')).toEqual(list));

  it.each<[unknown, string | undefined]>([
    ['0AbC', '0abc'],
    [' 0abc\n', '0abc'],
    ['AbQ=', 'AbQ='],
    ['Gabc', 'Gabc'],
    ['abcG', 'abcG'],
    ['0001', '0001'],
    ['1000', '1000'],
    ['0000', ''],
    [' 00 ', ''],
    ['', ''],
    ['  ', ''],
    [7, undefined],
    [undefined, undefined],
    [null, undefined],
  ])('the id %j is compared as %j', (traceId, id) => expect(idAt({ traceId }, 'traceId')).toBe(id));

  it.each<[unknown, number | undefined]>([
    ['1700000000123456789', 1_700_000_000_123.456_8],
    ['1500000', 1.5],
    ['1', 1e-6],
    ['0', 0],
    [0, 0],
    [2_500_000, 2.5],
    ['', undefined],
    ['soon', undefined],
    ['1 000', undefined],
    ['1000ns', undefined],
    ['n1000', undefined],
    ['-5', undefined],
    [-5, undefined],
    [1.5, undefined],
    [Number.NaN, undefined],
    [1e300, undefined],
    [null, undefined],
    [undefined, undefined],
    [['5'], undefined],
    [true, undefined],
  ])('%j nanoseconds are %j ms', (written, ms) => expect(unixMs(written)).toBe(ms));

  it('times keep their order and their distance to a microsecond', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 2_000_000_000_000_000_000n), fc.bigInt(0n, 1_000_000_000_000n), (start, length) => {
        const ms = unixMs(String(start + length))! - unixMs(String(start))!;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(Math.abs(ms - Number(length) / 1e6)).toBeLessThan(1e-3);
      }),
    ));
});

describe('the attributes of a span or a resource', () => {
  const attribute = (key: unknown, value: unknown) => ({ key, value: { stringValue: value } });
  it.each<[string, unknown[], object]>([
    [
      'name labels, session and stage',
      ['profile', 'language', 'device', 'session', 'stage'].map((key) => attribute(key, `a ${key}`)),
      { profile: 'a profile', language: 'a language', device: 'a device', session: 'a session', stage: 'a stage' },
    ],
    ['may begin with speechfb.', [attribute('speechfb.stage', 'asr')], { stage: 'asr' }],
    ['may not have it elsewhere', [attribute('xspeechfb.stage', 'asr'), attribute('speechfbxstage', 'asr')], {}],
    ['of other names are passed over', [attribute('http.method', 'GET'), attribute('', 'x')], {}],
    ['the last of a name counts', [attribute('device', 'a'), attribute('speechfb.device', 'b')], { device: 'b' }],
    ['that are no text are passed over', [attribute('device', 7), { key: 'stage', value: { intValue: 5 } }], {}],
    ['that are empty text count', [attribute('device', '')], { device: '' }],
    ['of the .proto’s names', [{ key: 'device', value: { string_value: 'pixel' } }], { device: 'pixel' }],
    ['that are nothing are passed over', [null, 'device', { key: 'device' }, {}, attribute(undefined, 'x')], {}],
  ])('%s', (_name, attributes, found) => expect(attributesOf({ attributes })).toEqual(found));

  it.each([undefined, null, {}, { attributes: 'device' }])('of %j are none', (owner) =>
    expect(attributesOf(owner)).toEqual({}),
  );
});

import { describe, expect, it } from 'vitest';
import { parsePeriodMs, parseShare, parseTarget, parseTraffic } from '../../../src/slo/service-level/quantities.ts';

const dayMs = 86_400_000;

describe('a period', () => {
  it.each([
    ['30d', 30 * dayMs],
    ['1d', dayMs],
    ['4w', 28 * dayMs],
    ['1w', 7 * dayMs],
    [' 1.25 d ', 1.25 * dayMs],
    ['12h', dayMs / 2],
    ['5m', 300_000],
  ])('of %s is %d ms', (text, ms) => {
    expect(parsePeriodMs(text)).toBe(ms);
  });

  it.each(['30', 'x30d', '30dx', '1.d', 'd', '30 days', '-1d', ''])('is never "%s"', (text) => {
    expect(() => parsePeriodMs(text)).toThrow(expect.objectContaining({ code: 'bad_unit' }));
  });
});

describe('a share', () => {
  it('is above 0 and at most all', () => {
    expect(parseShare('99.9%')).toBeCloseTo(0.999, 12);
    expect(parseShare('100%')).toBe(1);
  });

  it.each(['0%', '100.1%'])('is never %s', (text) => {
    expect(() => parseShare(text)).toThrow(`"${text}" is outside 0% to 100%`);
    expect(() => parseShare(text)).toThrow(expect.objectContaining({ code: 'bad_unit' }));
  });
});

describe('a target', () => {
  it('is a share without the noise of binary fractions', () => {
    expect(['99.9%', '99.95%', '90%', '14.3%'].map(parseTarget)).toEqual([0.999, 0.9995, 0.9, 0.143]);
  });

  it('leaves a budget', () => {
    expect(() => parseTarget('100%')).toThrow(
      '"100%" leaves no error budget: no burn rate exists; write less than 100%',
    );
    expect(() => parseTarget('100%')).toThrow(expect.objectContaining({ code: 'bad_unit' }));
    expect(() => parseTarget('0%')).toThrow('is outside 0% to 100%');
  });
});

describe('traffic', () => {
  it.each([
    ['20/s', 1200],
    ['1200/min', 1200],
    ['6000/h', 100],
    ['0.5/min', 0.5],
  ])('of %s is %d events a minute', (text, perMinute) => {
    expect(parseTraffic(text)).toBeCloseTo(perMinute, 10);
  });

  it('is above 0', () => {
    expect(() => parseTraffic('0/s')).toThrow(
      '"0/s" is no traffic: nothing could ever be judged; write a rate above 0',
    );
    expect(() => parseTraffic('0/s')).toThrow(expect.objectContaining({ code: 'bad_unit' }));
  });
});

import { describe, expect, it } from 'vitest';
import { formatMs } from '../src/format.ts';
import { parseBitsPerSecond, parseDollarsPerMinute, parseDurationMs, parsePercent } from '../src/units.ts';

describe('quantities', () => {
  it.each([
    ['20ms', 20],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['250us', 0.25],
    [' 2 s ', 2000],
    ['0', 0],
  ])('the duration %s is %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBeCloseTo(ms, 9);
  });

  it.each([
    ['20', /duration "20" has no unit; allowed: us, ms, s, m, h/],
    ['20sec', /duration "20sec" has the unknown unit "sec"/],
    ['-5ms', /is negative/],
    ['fast', /"fast" is not a duration/],
    ['', /"" is not a duration/],
    ['5toString', /unknown unit "toString"/],
  ])('the duration "%s" is refused', (text, message) => {
    expect(() => parseDurationMs(text)).toThrow(message);
  });

  it.each([
    ['320kbit', 320_000],
    ['5mbit', 5e6],
    ['16kB/s', 128_000],
    ['16KiB/s', 131_072],
  ])('the rate %s is %d bits a second', (text, bits) => {
    expect(parseBitsPerSecond(text)).toBe(bits);
  });

  it('reads percentages and prices, dollar sign or not', () => {
    expect(parsePercent('99.9%')).toBe(0.999);
    expect(parsePercent('5%')).toBeCloseTo(0.05, 12);
    expect(parseDollarsPerMinute('$0.015/min')).toBeCloseTo(0.015, 12);
    expect(parseDollarsPerMinute('$1.20/h')).toBeCloseTo(0.02, 12);
    expect(() => parseDollarsPerMinute('$1.20')).toThrow(/price "\$1.20" has no unit/);
  });

  it.each([
    [8.745, '8.74 ms'],
    [87.44, '87.4 ms'],
    [874.4, '874 ms'],
    [1250, '1.25 s'],
    [725_000, '12 m 05 s'],
    [Number.POSITIVE_INFINITY, 'never'],
  ])('%d ms reads %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});

import { describe, expect, it } from 'vitest';
import { count, dollars, durationText, lengthText, numberText, percent, percentText, tenthsMs } from '../src/format.ts';

describe('numbers in tables', () => {
  it.each([
    [tenthsMs(87.44), '87.4 ms'],
    [tenthsMs(1204), '1204.0 ms'],
    [tenthsMs(Number.POSITIVE_INFINITY), 'never'],
    [percent(0.28), '28 %'],
    [percent(0.0133), '1.3 %'],
    [percent(0), '0 %'],
    [percent(1), '100 %'],
    [dollars(0.000433), '$0.000433'],
    [dollars(1234.5), '$1,234.50'],
    [dollars(0), '$0'],
  ])('%s is %s', (text, expected) => {
    expect(text).toBe(expected);
  });
});

describe('numbers in prose', () => {
  it.each([
    [durationText(100), '100 ms'],
    [durationText(51_840), '51.8 s'],
    [durationText(60_000), '1 m'],
    [durationText(518_000), '8 m 38 s'],
    [durationText(180_000_000), '2 d 2 h'],
    [durationText(30 * 86_400_000), '30 d'],
    // Rounded up to a whole hour, not to 59 m 60 s.
    [durationText(3_599_900), '1 h'],
    [durationText(Number.POSITIVE_INFINITY), 'never'],
    [lengthText(281.25), '281.3 ms'],
    [lengthText(90_000), '90 s'],
    [percentText(0.72), '72 %'],
    [percentText(0.000123), '0.0123 %'],
    [percentText(0), '0 %'],
    [numberText(14.4), '14.4'],
    [numberText(12_345), '12,345'],
    [numberText(Number.POSITIVE_INFINITY), 'infinitely many'],
    [count(1, 'pod'), '1 pod'],
    [count(4000, 'pod'), '4,000 pods'],
  ])('%s is %s', (text, expected) => {
    expect(text).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/config/yaml.ts';
import { parseDurationMs } from '../../src/units.ts';
import { problemsOf } from '../kit/problems.ts';

const anything = z.looseObject({});

/** Least CPU time of three, ms: neither other processes nor a collector that comes in between are measured. */
function cpuMs(act: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const begun = process.cpuUsage();
      act();
      const { user, system } = process.cpuUsage(begun);
      return (user + system) / 1000;
    }),
  );
}

describe('a file twice as long', () => {
  it.each<[string, number, (size: number) => void]>([
    [
      'of keys',
      1500,
      (size) =>
        parseConfig(
          'f',
          rows(size, (i) => `k${i}: 1`),
          anything,
        ),
    ],
    ['of aliases', 1500, (size) => parseConfig('f', `a: &a 1\nb:\n${rows(size, () => '  - *a')}`, anything)],
    [
      'of unknown keys',
      1500,
      (size) =>
        attempt(() =>
          parseConfig(
            'f',
            rows(size, (i) => `k${i}: 1`),
            z.strictObject({}),
          ),
        ),
    ],
    [
      'of wrong values',
      1500,
      (size) =>
        attempt(() =>
          parseConfig(
            'f',
            rows(size, (i) => `k${i}: x`),
            z.record(z.string(), z.number()),
          ),
        ),
    ],
    ['of blanks in a duration', 100_000, (size) => attempt(() => parseDurationMs(`1${' '.repeat(size)}x1`))],
  ])('%s is read in little more than twice the time', (_, size, read) => {
    read(size);
    const short = cpuMs(() => read(size));
    const long = cpuMs(() => read(2 * size));
    // Quadratic work would be four times as long; below some ms noise is larger than either.
    expect(long).toBeLessThan(3 * short + 30);
  });
});

describe('a YAML file', () => {
  it.each([
    ['that is nested without end', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'it is nested deeper than 100'],
    ['whose lists are nested without end', `${'- '.repeat(5000)}x`, 'it is nested deeper than 100'],
    ['whose name stands for itself', 'a: &a [*a]', 'its *names stand for one another'],
    [
      'whose names grow',
      rows(12, (i) => `k${i}: &k${i} [${i === 0 ? '1' : Array.from({ length: 9 }, () => `*k${i - 1}`).join()}]`),
      'its *names make a small file huge',
    ],
  ])('%s is refused in one sentence', (_, text, message) => {
    expect(problemsOf(() => parseConfig('f.yaml', text, z.unknown()))).toContain(message);
  });

  it('may use names as often as it likes', () => {
    const text = `a: &a {x: 1}\nb:\n${rows(5000, () => '  - {<<: *a, y: 2}')}`;
    expect(parseConfig('f.yaml', text, anything)).toMatchObject({ b: expect.arrayContaining([{ x: 1, y: 2 }]) });
  });

  it('takes the last of two anchors of one name before it', () => {
    expect(parseConfig('f.yaml', 'a: &n 1\nb: *n\nc: &n 2\nd: *n\n', anything)).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  it('with 500 mistakes tells the first 100', () => {
    const told = problemsOf(() =>
      parseConfig(
        'f.yaml',
        rows(500, (i) => `k${i}: x`),
        z.record(z.string(), z.number()),
      ),
    );
    expect(told).toContain('k99: ');
    expect(told).toContain('and 400 more');
  });
});

describe('a quantity', () => {
  it.each([
    ['beyond all numbers', '1e308h', 'duration "1e308h" is too large'],
    ['longer than any', `1${'0'.repeat(200)}ms`, 'is not a duration'],
  ])('%s is refused', (_, text, message) => {
    expect(problemsOf(() => parseDurationMs(text))).toContain(message);
  });
});

function rows(count: number, row: (i: number) => string): string {
  return `${Array.from({ length: count }, (_, i) => row(i)).join('\n')}\n`;
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // It is refused; how long that takes is the question.
  }
}

import { describe, expect, it } from 'vitest';
import { checkLimits, parseLimit } from '../../src/commands/serve/flags/limit-flag.ts';
import { limitNames, limitProblem, limitRanges } from '../../src/protocol/limit-ranges.ts';
import { defaultLimits, limitsByWireName } from '../../src/server/limits.ts';

const isFixed = (value: number) => Number.isFinite(value);

describe('a limit of the server', () => {
  it('has a range, in the order of the server, and its default lies in it', () => {
    const defaults = Object.entries(limitsByWireName(defaultLimits));
    expect(defaults.map(([name]) => name)).toEqual(limitNames);
    const outside = defaults.filter(
      ([name, value]) => isFixed(value) && limitProblem(name as keyof typeof limitRanges, value) !== undefined,
    );
    expect(outside).toEqual([]);
  });

  it.each(Object.entries(limitRanges))('%s may be either end of its range, and nothing beyond', (name, range) => {
    const parsed = (value: number) => Object.values(parseLimit(`${name}=${value}`));
    expect([range.least, range.most].map(parsed)).toEqual([[range.least], [range.most]]);
    expect(() => parsed(range.most * 1.001 + 1)).toThrow(`${name}: `);
    expect(() => parsed(range.least - 1)).toThrow(`${name}: `);
  });

  it.each([
    ['max_utilisation=5', 'max_utilisation: 5 is not allowed; allowed: a number from 0.001 to 1'],
    ['max_utilisation=', 'max_utilisation: "" is not a number'],
    ['max_sessions=1.5', 'max_sessions: 1.5 is not allowed; allowed: a whole number from 1 to 1000000000'],
    ['idle_timeout_ms=0x10', 'idle_timeout_ms: "0x10" is not a number'],
    ['idle_timeout_ms=30s', 'idle_timeout_ms: "30s" is not a number'],
    ['idle_timeout_ms=5=6', 'idle_timeout_ms: "5=6" is not a number'],
    ['idle_timeout_ms', 'idle_timeout_ms: "" is not a number'],
    ['max_sesions=5', '"max_sesions" is not a limit (did you mean "max_sessions"?)'],
    ['toString=5', '"toString" is not a limit'],
    ['=5', '"" is not a limit'],
  ])('"%s" is refused with a sentence', (given, sentence) => {
    expect(() => parseLimit(given)).toThrow(sentence);
  });

  it.each([
    [{ minGapWaitMs: 600 }, 'min_gap_wait_ms (600) is more than max_gap_wait_ms (500)'],
    [{ sheddingAt: 2 }, 'words_only_at (3) is more than shedding_at (2)'],
    [{ congestedBytes: 2_000_000 }, 'congested_bytes (2000000) is more than max_unsent_bytes (1048576)'],
  ])('that contradicts another is refused: %o', (given, sentence) => {
    expect(() => checkLimits(given)).toThrow(sentence);
    expect(() => checkLimits({})).not.toThrow();
  });
});

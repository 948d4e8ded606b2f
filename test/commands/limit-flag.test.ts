import { describe, expect, it } from 'vitest';
import { checkLimits, limitsOfFlags, parseLimit } from '../../src/commands/serve/flags/limit-flag.ts';
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
    ['max_utilisation=5', 'max_utilisation: 5 is not allowed; allowed: a number from 0.1 to 1'],
    ['max_utilisation=', 'max_utilisation: "" is not a number'],
    ['max_sessions=1.5', 'max_sessions: 1.5 is not allowed; allowed: a whole number from 1 to 1000000'],
    ['idle_timeout_ms=0x10', 'idle_timeout_ms: "0x10" is not a number'],
    ['idle_timeout_ms=30s', 'idle_timeout_ms: "30s" is not a number'],
    ['idle_timeout_ms=5=6', 'idle_timeout_ms: "5=6" is not a number'],
    ['idle_timeout_ms', 'idle_timeout_ms: "" is not a number'],
    ['max_sesions=5', '"max_sesions" is not a limit (did you mean "max_sessions"?)'],
    ['toString=5', '"toString" is not a limit'],
    ['=5', '"" is not a limit'],
    ['limit_growth=9', 'limit_growth: 9 is not allowed; allowed: a number from 0 to 1'],
    ['limit_climb_per_second=0', 'limit_climb_per_second: 0 is not allowed; allowed: a number from 0.001 to 1000'],
    ['limit_decrease=0.1', 'limit_decrease: 0.1 is not allowed; allowed: a number from 0.5 to 1'],
    ['shed_share=0', 'shed_share: 0 is not allowed; allowed: a number from 0.001 to 1'],
    ['most_catch_up_share=1', 'most_catch_up_share: 1 is not allowed; allowed: a number from 0.001 to 0.9'],
    ['silent_gateway_ms=50', 'silent_gateway_ms: 50 is not allowed; allowed: a number from 200 to 3600000'],
    ['heartbeat_ms=1', 'heartbeat_ms: 1 is not allowed; allowed: a number from 100 to 3600000'],
    ['overload_delay_ms=1', 'overload_delay_ms: 1 is not allowed; allowed: a number from 10 to 3600000'],
    ['handshake_timeout_ms=5', 'handshake_timeout_ms: 5 is not allowed; allowed: a number from 100 to 3600000'],
    ['busy_retry_ms=1', 'busy_retry_ms: 1 is not allowed; allowed: a number from 100 to 3600000'],
    [
      'max_frame_bytes=99999999',
      'max_frame_bytes: 99999999 is not allowed; allowed: a whole number from 512 to 16777216',
    ],
  ])('"%s" is refused with a sentence', (given, sentence) => {
    expect(() => parseLimit(given)).toThrow(sentence);
  });

  it.each([
    [{ minGapWaitMs: 600 }, 'min_gap_wait_ms (600) is more than max_gap_wait_ms (500)'],
    [{ sheddingAt: 2 }, 'words_only_at (3) is more than shedding_at (2)'],
    [{ maxFrameBytes: 65_536, maxHeldBytes: 1000 }, 'max_frame_bytes (65536) is more than max_held_bytes (1000)'],
    [{ maxOpenPhones: 5000 }, 'max_text_phones (8000) is more than max_open_phones (5000)'],
    [{ fixedSessions: 500 }, 'fixed_sessions (500) is more than max_sessions (400)'],
    [{ decideEveryMs: 5000 }, 'decide_every_ms (5000) is more than overload_interval_ms (1000)'],
    [{ maxUtilisation: 0.3 }, 'known_utilisation (0.5) is more than max_utilisation (0.3)'],
    [{ hungGatewayMs: 1000, silentGatewayMs: 2000 }, 'silent_gateway_ms (2000) is more than hung_gateway_ms (1000)'],
    [{ stepDownMs: 20_000 }, 'step_down_ms (20000) is more than most_step_down_ms (16000)'],
    [{ halfRateAt: 2.5 }, 'half_rate_at (2.5) is more than finals_only_at (2)'],
    [
      { heartbeatMs: 100, pingsPerSecond: 5 },
      'heartbeat_ms (100) asks every client for 10 pongs a second, more than pings_per_second (5) allows',
    ],
    [{ maxSessions: 2000, maxConnections: 1000 }, 'max_sessions (2000) is more than max_connections (1000)'],
    [{ initialSessions: 500 }, 'initial_sessions (500) is more than max_sessions (400)'],
    [{ leastSessions: 50, maxSessions: 40 }, 'least_sessions (50) is more than max_sessions (40)'],
    [{ congestedBytes: 2_000_000 }, 'congested_bytes (2000000) is more than max_unsent_bytes (1048576)'],
  ])('that contradicts another is refused: %o', (given, sentence) => {
    expect(() => checkLimits(given)).toThrow(sentence);
    expect(() => checkLimits({})).not.toThrow();
  });

  it.each([
    ['alone', { maxSessions: 2000 }, 5000],
    ['by its limit', { limit: { maxSessions: 500 } }, 1250],
    ['below the default', { maxSessions: 10 }, 1000],
    ['beyond any machine', { maxSessions: 1_000_000 }, 1_000_000],
    ['beside connections', { maxSessions: 300, limit: { maxConnections: 300 } }, 300],
    ['not at all', { limit: { maxConnections: 200 } }, 200],
  ])('of sessions, given %s, lets all of them have a connection', (_, flags, connections) => {
    expect(limitsOfFlags(flags).maxConnections).toBe(connections);
  });

  it.each([
    [{ maxSessions: 10, limit: { maxSessions: 20 } }, '--max-sessions (10) contradicts --limit max_sessions=20'],
    [{ resumeTtl: 5000, limit: { resumeTtlMs: 1 } }, '--resume-ttl (5000) contradicts --limit resume_ttl_ms=1'],
    [{ drain: 0, limit: { drainMs: 10 } }, '--drain (0) contradicts --limit drain_ms=10'],
  ])('that a flag of its own contradicts is refused: %o', (flags, sentence) => {
    expect(() => limitsOfFlags(flags)).toThrow(sentence);
  });

  it('may be given twice with one value', () => {
    expect(limitsOfFlags({ drain: 7, limit: { drainMs: 7 } })).toMatchObject({ drainMs: 7 });
  });
});

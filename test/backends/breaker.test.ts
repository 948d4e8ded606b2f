import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackendError, ErrorClass } from '../../src/backends/backend.ts';
import { Breaker, type BreakerState, defaultBreaker, type Pass } from '../../src/backends/breaker.ts';

let nowMs: number;
let changes: BreakerState[];
let breaker: Breaker;

beforeEach(() => {
  nowMs = 1000;
  changes = [];
  breaker = new Breaker(
    () => nowMs,
    defaultBreaker,
    ({ state }) => changes.push(state),
  );
});

const failure = (of: ErrorClass, retryAfterMs?: number): BackendError => ({
  class: of,
  message: `a ${of}`,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

/** So many sessions begin and fail. */
function fail(of: ErrorClass, times = 1, retryAfterMs?: number): void {
  for (let time = 0; time < times; time++) breaker.failed(breaker.admit()!, failure(of, retryAfterMs));
}

describe('what opens it', () => {
  it.each<[string, () => void, BreakerState]>([
    ['nothing', () => {}, 'closed'],
    ['four faults in a row do not', () => fail('fault', 4), 'closed'],
    ['five faults in a row', () => fail('fault', 5), 'open'],
    [
      'faults apart do not, while they are few',
      () => {
        for (let time = 0; time < 30; time++) {
          if (time % 3 === 0) fail('fault');
          else breaker.succeeded(breaker.admit()!);
        }
      },
      'closed',
    ],
    [
      'faults that are half of all',
      () => {
        for (let time = 0; time < 10; time++) {
          if (time % 2 === 1) fail('fault');
          else breaker.succeeded(breaker.admit()!);
        }
      },
      'open',
    ],
    ['one key that is refused', () => fail('auth'), 'open'],
    ['one bill that is refused', () => fail('budget'), 'open'],
    ['one "too many"', () => fail('rate'), 'open'],
  ])('%s', (_, act, expected) => {
    act();
    expect(breaker.status.state).toBe(expected);
  });
});

it.each<[ErrorClass, number | undefined, number]>([
  ['fault', undefined, 5000],
  ['rate', undefined, 1000],
  ['rate', 7000, 7000],
  ['rate', 0, 100],
  ['fault', 30_000, 30_000],
  ['auth', undefined, 60_000],
  ['budget', undefined, 60_000],
])('stays open after %s that asks for %s ms: %d ms', (of, retryAfterMs, expected) => {
  fail(of, of === 'fault' ? 5 : 1, retryAfterMs);
  nowMs += expected - 1;
  expect(breaker.admit()).toBeUndefined();
  expect(breaker.status).toMatchObject({ state: 'open', untilMs: 1000 + expected, why: { class: of } });
  nowMs += 1;
  expect(breaker.status).toMatchObject({ state: 'half-open', sinceMs: 1000 + expected });
  expect(breaker.admit()).toEqual({ isTrial: true });
});

describe('half-open', () => {
  let trial: Pass;
  beforeEach(() => {
    fail('fault', 5);
    nowMs += 5000;
    trial = breaker.admit()!;
  });

  it('lets one session through, and no second', () => {
    expect(breaker.admits).toBe(false);
    expect(breaker.admit()).toBeUndefined();
  });

  it('closes when the trial succeeds', () => {
    breaker.succeeded(trial);
    expect(breaker.status).toMatchObject({ state: 'closed', why: undefined });
    expect(changes).toEqual(['open', 'half-open', 'closed']);
    expect(breaker.admit()).toEqual({ isTrial: false });
  });

  it('opens for twice as long when it fails, up to a minute', () => {
    const lengths: number[] = [];
    for (let time = 0; time < 6; time++) {
      breaker.failed(trial, failure('fault'));
      lengths.push(breaker.status.untilMs! - nowMs);
      nowMs = breaker.status.untilMs!;
      trial = breaker.admit()!;
    }
    expect(lengths).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('takes another trial when the learner of the first has left', () => {
    breaker.left(trial);
    expect(breaker.admit()).toEqual({ isTrial: true });
  });

  it('takes another when the first has no outcome for 15 s, whose outcome then means nothing', () => {
    nowMs += 15_000;
    const second = breaker.admit()!;
    breaker.succeeded(trial);
    expect(breaker.status.state).toBe('half-open');
    breaker.succeeded(second);
    expect(breaker.status.state).toBe('closed');
  });
});

it('is not moved by sessions from before it opened: not closed, not opened for longer', () => {
  const old = Array.from({ length: 10 }, () => breaker.admit()!);
  fail('fault', 5);
  const { untilMs } = breaker.status;
  nowMs += 100;
  breaker.succeeded(old[0]!);
  for (const pass of old.slice(1)) breaker.failed(pass, failure('budget'));
  expect(breaker.status).toMatchObject({ state: 'open', untilMs });
});

it('never lets a session through while it is open, and never two trials at once, whatever happens', () => {
  const step = record({
    do: constantFrom('begin', 'succeed', 'leave', 'fault', 'rate', 'auth', 'wait'),
    which: integer({ min: 0, max: 20 }),
    ms: integer({ min: 1, max: 20_000 }),
  });
  assert(
    property(array(step, { maxLength: 120 }), (steps) => {
      let clock = 0;
      const tested = new Breaker(
        () => clock,
        defaultBreaker,
        () => {},
      );
      const live: { pass: Pass; sinceMs: number }[] = [];
      for (const { do: what, which, ms } of steps) {
        const { state } = tested.status;
        const trials = live.filter(({ pass, sinceMs }) => pass.isTrial && clock - sinceMs < defaultBreaker.trialMs);
        if (what === 'wait') clock += ms;
        else if (what === 'begin') {
          const pass = tested.admit();
          if (state === 'open') expect(pass).toBeUndefined();
          if (pass?.isTrial) expect(state).toBe('half-open');
          if (pass && state === 'half-open') {
            expect(trials.filter(({ sinceMs }) => sinceMs >= tested.status.sinceMs)).toEqual([]);
          }
          if (pass) live.push({ pass, sinceMs: clock });
        } else if (live.length > 0) {
          const [{ pass }] = live.splice(which % live.length, 1) as [(typeof live)[0]];
          if (what === 'succeed') tested.succeeded(pass);
          else if (what === 'leave') tested.left(pass);
          else tested.failed(pass, failure(what));
        }
      }
    }),
    { numRuns: 300, seed: 17 },
  );
});

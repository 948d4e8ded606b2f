import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/yaml.ts';
import { eventsOfUnit, historyOfCount, historyOfEvents, sessionMedians } from '../../../src/slo/canary/arm-history.ts';
import { canaryFile, canaryOf } from '../../../src/slo/canary/canary.ts';
import { type Arm, judgeCanary } from '../../../src/slo/canary/judge.ts';
import { simulateRollout } from '../../../src/slo/canary/rollout.ts';

const canary = canaryOf(parseConfig('canary.yaml', readFileSync('slo/canary.yaml', 'utf8'), canaryFile));

/** `minutes` of 60 events, `bad` of them bad, and forty sessions whose medians spread evenly around `medianMs`. */
type Made = { minutes?: number; medianMs?: number; sessions?: number };

function arm(bad: number, { minutes = 20, medianMs = 200, sessions = 40 }: Made = {}): Arm {
  const history = Array.from({ length: minutes }, () => ({ bad, total: 60 }));
  const sessionsMs = Array.from({ length: sessions }, (_, i) => medianMs * (0.9 + (0.2 * i) / (sessions - 1)));
  return { history, sessionsMs };
}

const nothing: Arm = { history: [], sessionsMs: [] };

describe('the judge', () => {
  it.each([
    ['promotes a canary as good as the baseline', arm(0), arm(0), 'promote', undefined, /not slower/],
    ['rolls back 5 % bad', arm(0), arm(3), 'rollback', 'burn', /burned above 2 over 10 m; 5 times the budget in all/],
    [
      'rolls back 15 % slower sessions',
      arm(0),
      arm(0, { medianMs: 230 }),
      'rollback',
      'latency',
      /differ by \+30 ms .*: slower/,
    ],
    ['holds when latency is undecided', arm(0), arm(0, { medianMs: 208 }), 'hold', 'latency', /: undecided/],
    [
      'holds when both burn: it is not this release',
      arm(3),
      arm(3),
      'hold',
      'burn',
      /both burn above 2 .* not this release alone/,
    ],
    [
      'rolls back what is far worse than a burning baseline',
      arm(3),
      arm(12),
      'rollback',
      'sequential',
      /decides for 10 % bad against 5 %/,
    ],
    [
      'holds without data from the canary',
      arm(0),
      nothing,
      'hold',
      'data',
      /the canary has no utterances: no data never promotes/,
    ],
    ['holds without data from the baseline', nothing, arm(0), 'hold', 'data', /the baseline has no utterances/],
    [
      'holds below the minimum of events',
      arm(0),
      arm(0, { minutes: 5 }),
      'hold',
      'data',
      /has 300 utterances; needs 300 more/,
    ],
    ['goes by the promise alone in the last step', undefined, arm(0), 'promote', undefined, /never above 2/],
    ['rolls back in the last step too', undefined, arm(3), 'rollback', 'burn', /burned above 2/],
  ] as const)('%s', (_, baseline, seen, decision, check, message) => {
    const judgement = judgeCanary(canary, baseline, seen);
    expect(judgement.decision, JSON.stringify(judgement.reasons, null, 2)).toBe(decision);
    const deciding = judgement.reasons.filter((reason) => reason.decision === decision);
    if (check) expect(deciding.map((reason) => reason.check)).toContain(check);
    expect(judgement.reasons.map((reason) => reason.message).join('\n')).toMatch(message);
  });

  it('says each reason with its figures', () => {
    // 20 ln 2 + 1,180 ln (98 / 99), between ln (.2 / .99) and ln (.8 / .01).
    const sequential = {
      fine: expect.closeTo(0.01, 12),
      worse: expect.closeTo(0.02, 12),
      logRatio: expect.closeTo(20 * Math.log(2) + 1180 * Math.log(0.98 / 0.99), 9),
      lower: expect.closeTo(Math.log(0.2 / 0.99), 9),
      upper: expect.closeTo(Math.log(0.8 / 0.01), 9),
    };
    expect(judgeCanary(canary, arm(0), arm(1)).reasons).toEqual([
      {
        check: 'burn',
        decision: 'promote',
        message: 'the canary burns at 1.67 times the budget, never above 2 over 10 m',
        figures: {
          canaryEvents: 1200,
          canaryBad: 20,
          canaryBurn: expect.closeTo(5 / 3, 9),
          baselineEvents: 1200,
          baselineBad: 0,
          baselineBurn: 0,
        },
      },
      {
        check: 'sequential',
        decision: 'hold',
        message: '20 bad of 1,200 does not decide between 1 % and 2 % bad yet (1.88 between -1.6 and 4.38)',
        figures: { bad: 20, total: 1200, ...sequential },
      },
      {
        check: 'latency',
        decision: 'promote',
        message:
          "the canary's sessions differ by +0 ms [-5.13 ms, +5.13 ms] (Mann-Whitney p 1.0); the margin is +9.97 ms, 5 % of " +
          "the baseline's median: not slower",
        figures: {
          shiftMs: expect.closeTo(0, 9),
          lowerMs: expect.closeTo(-200 / 39, 6),
          upperMs: expect.closeTo(200 / 39, 6),
          coverage: expect.closeTo(0.95, 9),
          p: expect.closeTo(1, 9),
          u: 800,
          marginMs: expect.closeTo(0.05 * 200 * (0.9 + (0.2 * 19) / 39), 9),
          baselineMedianMs: expect.closeTo(200 * (0.9 + (0.2 * 19) / 39), 9),
          canarySessions: 40,
          baselineSessions: 40,
        },
      },
    ]);
  });

  it.each<[string, Arm | undefined, Arm, string[]]>([
    [
      'a burn of the canary alone',
      arm(0),
      { ...arm(3), sessionsMs: [] },
      [
        'the canary burned above 2 over 10 m; 5 times the budget in all',
        '60 bad of 1,200 decides for 2 % bad against 1 %',
      ],
    ],
    [
      'a burn of both',
      arm(3),
      { ...arm(4), sessionsMs: [] },
      [
        'both burn above 2 over 10 m, the canary at 6.67, the baseline at 5: not this release alone',
        '80 bad of 1,200 decides for 5 % bad against 10 %',
      ],
    ],
    [
      'a canary without a baseline',
      undefined,
      arm(0),
      [
        'the canary burns at 0 times the budget, never above 2 over 10 m',
        '0 bad of 1,200 decides for 1 % bad against 2 %',
      ],
    ],
    [
      'a run that was shorter than the window',
      undefined,
      { ...arm(0), seenMs: 60_000 },
      [
        'the canary burns at 0 times the budget, never above 2 over the 1 m that it ran',
        '0 bad of 1,200 decides for 1 % bad against 2 %',
      ],
    ],
    [
      'a run as long as the window',
      undefined,
      { ...arm(0), seenMs: 600_000 },
      [
        'the canary burns at 0 times the budget, never above 2 over 10 m',
        '0 bad of 1,200 decides for 1 % bad against 2 %',
      ],
    ],
    ['no events', arm(0), nothing, ['the canary has no utterances: no data never promotes']],
    ['few events', arm(0, { minutes: 9 }), arm(0), ['the baseline has 540 utterances; needs 60 more']],
    [
      'a canary whose run is in doubt',
      arm(0),
      { ...arm(0), doubt: 'frames were late' },
      ['the run of the canary proves nothing: frames were late'],
    ],
    [
      'a baseline whose run is in doubt',
      { ...arm(0), doubt: 'frames were late' },
      arm(0),
      ['the run of the baseline proves nothing: frames were late'],
    ],
    [
      'too few sessions for an interval',
      arm(0, { sessions: 3 }),
      arm(0, { sessions: 2 }),
      [
        'the canary burns at 0 times the budget, never above 2 over 10 m',
        '0 bad of 1,200 decides for 1 % bad against 2 %',
        '2 against 3 sessions carry no interval at 95 %',
      ],
    ],
  ])('of %s says so', (_, baseline, seen, messages) => {
    expect(judgeCanary(canary, baseline, seen).reasons.map(({ message }) => message)).toEqual(messages);
  });

  it('takes just as many events as it needs', () => {
    const exact = { ...canary, minimumEvents: 1200 };
    expect(judgeCanary(exact, arm(0), arm(0)).decision).toBe('promote');
    expect(judgeCanary({ ...canary, minimumEvents: 1201 }, arm(0), arm(0)).decision).toBe('hold');
  });

  it('in the other reading says each minute of ten', () => {
    const strict = { ...canary, rollback: { ...canary.rollback, mode: 'consecutive' as const } };
    expect(judgeCanary(strict, arm(0), arm(3)).reasons[0]!.message).toBe(
      'the canary burned above 2 in every 1 m for 10 m; 5 times the budget in all',
    );
  });

  it('compares no latencies where a side has no session', () => {
    const deaf = { ...arm(0), sessionsMs: [] };
    for (const [was, is] of [
      [deaf, arm(0)],
      [arm(0), deaf],
    ] as const) {
      expect(judgeCanary(canary, was, is).reasons.map(({ check }) => check)).toEqual(['burn', 'sequential']);
    }
  });

  it('says how far apart sessions are that never came', () => {
    const silent: Arm = { ...arm(0), sessionsMs: Array<number>(40).fill(Number.POSITIVE_INFINITY) };
    const sentence = (was: Arm, is: Arm) => judgeCanary(canary, was, is).reasons.at(-1)!.message;
    expect(sentence(arm(0), silent)).toContain('differ by +infinity [+infinity, +infinity]');
    expect(sentence(silent, arm(0))).toContain('differ by -infinity [-infinity, -infinity]');
  });

  it('takes even a baseline that loses everything as what is acceptable now', () => {
    const { figures } = judgeCanary(canary, arm(60), arm(60)).reasons[1]!;
    expect(figures!.fine).toBeLessThan(1);
    expect(figures!.worse).toBeGreaterThan(figures!.fine!);
    expect(figures!.worse).toBeLessThan(1);
  });

  it('does not promote before the window has passed', () => {
    const early = { ...canary, minimumEvents: 100 };
    const judgement = judgeCanary(early, arm(0, { minutes: 5 }), arm(0, { minutes: 5 }));
    expect(judgement.reasons).toContainEqual(
      expect.objectContaining({
        check: 'burn',
        decision: 'hold',
        message: expect.stringContaining('10 m have not passed'),
      }),
    );
    expect(judgement.decision).toBe('hold');
  });

  it('does not call three sessions against three an interval', () => {
    const few = (medianMs: number): Arm => ({ ...arm(0), sessionsMs: [medianMs, medianMs + 1, medianMs + 2] });
    expect(judgeCanary(canary, few(200), few(100)).decision).toBe('hold');
  });

  it('counts sessions that mostly never heard anything as infinitely slow', () => {
    const silent: Arm = { ...arm(0), sessionsMs: Array<number>(40).fill(Infinity) };
    expect(judgeCanary(canary, arm(0), silent).decision).toBe('rollback');
  });

  const order = ['promote', 'hold', 'rollback'];
  it('never gets milder when one more event of the canary is bad', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 12, maxLength: 20 });
    fc.assert(
      fc.property(counts, fc.nat(), (bad, at) => {
        const seen = (counts: number[]): Arm => ({
          ...arm(0, { sessions: 6 }),
          history: counts.map((count) => ({ bad: count, total: 60 })),
        });
        const worse = bad.map((count, i) => (i === at % bad.length ? count + 1 : count));
        const decisionOf = (one: Arm) => order.indexOf(judgeCanary(canary, arm(1, { sessions: 6 }), one).decision);
        expect(decisionOf(seen(worse))).toBeGreaterThanOrEqual(decisionOf(seen(bad)));
      }),
    );
  });

  it('never gets milder when every session of the canary is slower', () => {
    const factor = fc.double({ min: 0.8, max: 1.3, noNaN: true });
    fc.assert(
      fc.property(factor, factor, (a, b) => {
        const decisionOf = (times: number) =>
          order.indexOf(judgeCanary(canary, arm(0), arm(0, { medianMs: 201.7 * times, sessions: 39 })).decision);
        expect(decisionOf(Math.max(a, b))).toBeGreaterThanOrEqual(decisionOf(Math.min(a, b)));
      }),
    );
  });
});

describe('the history of a run', () => {
  const rule = { atMost: 500, everyMs: 1000, intervals: 0, unit: 'event' } as const;
  const event = (atMs: number, latencyMs: number, session = 'a') => ({ atMs, latencyMs, session });

  it('counts an interval at a time from the first event on, in any order', () => {
    const events = [event(2100, 501), event(100, 500), event(900, 900), event(2200, 1)];
    expect(historyOfEvents(events, 0, rule)).toEqual([
      { bad: 1, total: 2 },
      { bad: 0, total: 0 },
      { bad: 1, total: 2 },
    ]);
  });

  it('counts what never came as bad, spread over the run', () => {
    const history = historyOfEvents([event(0, 1), event(2500, 1)], 4, rule);
    expect(history.map(({ bad }) => bad)).toEqual([1, 1, 2]);
    expect(historyOfEvents([], 7, rule)).toEqual([{ bad: 7, total: 7 }]);
    expect(historyOfEvents([], 0, rule)).toEqual([]);
  });

  it.each([
    ['utterance', [{ bad: 1.5, total: 3 }]],
    ['session', [{ bad: 0.75, total: 2 }]],
    ['event', [{ bad: 3, total: 5 }]],
  ] as const)('counts each %s once, and as bad as its events are', (unit, expected) => {
    const of = (session: string, utterance: number, latencyMs: number) => ({ atMs: 1, session, utterance, latencyMs });
    const events = [of('a', 0, 900), of('a', 0, 900), of('a', 1, 1), of('a', 1, 900), of('b', 1, 1)];
    const [history] = historyOfEvents(events, 0, { ...rule, unit });
    expect([history]).toEqual(expected);
  });

  it('counts a session where its earliest event is, in whatever order they came', () => {
    const events = [event(1500, 900, 'a'), event(100, 1, 'b'), event(200, 1, 'a'), event(1600, 501, 'a')];
    expect(historyOfEvents(events, 0, { ...rule, unit: 'session' })).toEqual([
      { bad: expect.closeTo(2 / 3, 12), total: 2 },
      { bad: 0, total: 0 },
    ]);
  });

  it('takes events of no known utterance as one of their session', () => {
    const events = [event(0, 900), event(1, 1), event(2, 1, 'b')];
    expect(historyOfEvents(events, 0, { ...rule, unit: 'utterance' })).toEqual([{ bad: 0.5, total: 2 }]);
  });

  it.each([
    ['event', 1],
    ['utterance', 1.5],
    ['session', 3],
  ] as const)('has so many events to each %s: %d', (unit, count) => {
    const of = (session: string, utterance: number) => ({ atMs: 1, session, utterance, latencyMs: 1 });
    const events = [of('a', 0), of('a', 0), of('a', 1), of('b', 0), of('b', 0), of('b', 2)];
    expect(eventsOfUnit(events, unit)).toBe(count);
    expect(eventsOfUnit([], unit)).toBe(1);
  });

  it('has as many that never came to a unit as came', () => {
    const of = (utterance: number) => ({ atMs: 1, session: 'a', utterance, latencyMs: 1 });
    const events = [of(0), of(0), of(1), of(1)];
    expect(historyOfEvents(events, 4, { ...rule, unit: 'utterance' })).toEqual([{ bad: 2, total: 4 }]);
  });

  it('of a run shorter than the window is one window', () => {
    const history = historyOfEvents([event(0, 900)], 0, { ...rule, intervals: 3 });
    expect(history).toEqual([
      { bad: 0, total: 0 },
      { bad: 0, total: 0 },
      { bad: 1, total: 1 },
    ]);
  });

  it('of a count without times is one window, or nothing', () => {
    expect(historyOfCount({ bad: 1, total: 9 }, 1)).toEqual([{ bad: 1, total: 9 }]);
    expect(historyOfCount({ bad: 1, total: 9 }, 3)).toEqual([
      { bad: 0, total: 0 },
      { bad: 0, total: 0 },
      { bad: 1, total: 9 },
    ]);
    expect(historyOfCount({ bad: 0, total: 0 }, 3)).toEqual([]);
  });

  it('has one latency a session, its median', () => {
    expect(sessionMedians([event(0, 9), event(1, 1, 'b'), event(2, 5), event(3, 7)])).toEqual([7, 1]);
  });
});

describe('a rehearsed rollout', () => {
  const healthy = { baselineBurn: 0.5, canaryBurn: 0.5, slowdown: 0, fromShare: 0 };

  it('promotes a healthy release through 5, 25 and 100 %', () => {
    const rollout = simulateRollout(canary, healthy, 1);
    expect(rollout).toMatchObject({ outcome: 'promoted', share: 1, harmedEvents: 0, endedAtMs: 2 * 3_600_000 });
    expect(rollout.looks.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 120 }, (_, i) => (i + 1) * 60_000));
    expect([0, 29, 30, 59, 60, 119].map((at) => rollout.looks[at]!.events)).toEqual([60, 60, 300, 300, 1200, 1200]);
    expect([0, 119].map((at) => rollout.looks[at]!.judgement.reasons.some(({ check }) => check === 'latency'))).toEqual(
      [false, false],
    );
    expect([...new Set(rollout.looks.map((look) => look.share))]).toEqual([0.05, 0.25, 1]);
  });

  it('stops a burn of 4 in the first step, when the window has passed', () => {
    const rollout = simulateRollout(canary, { ...healthy, canaryBurn: 4 }, 1);
    expect(rollout).toMatchObject({ outcome: 'rolled back', share: 0.05, endedAtMs: 10 * 60_000 });
    expect(rollout.harmedEvents).toBeCloseTo(600 * 0.035, 6);
  });

  it('stops a regression that needs load where the load is', () => {
    const rollout = simulateRollout(canary, { ...healthy, canaryBurn: 4, fromShare: 0.25 }, 1);
    expect(rollout).toMatchObject({ outcome: 'rolled back', share: 0.25 });
  });

  it('stops a release that is only slower', () => {
    const rollout = simulateRollout(canary, { ...healthy, slowdown: 0.15 }, 1);
    expect(rollout.outcome).toBe('rolled back');
    expect(rollout.looks.at(-1)!.judgement.reasons).toContainEqual(
      expect.objectContaining({ check: 'latency', decision: 'rollback' }),
    );
  });

  it('draws a session of a dozen utterances, and as much slower as was planted', () => {
    const slow = { ...healthy, slowdown: 0.15 };
    const last = ({ looks }: ReturnType<typeof simulateRollout>) =>
      looks.at(-1)!.judgement.reasons.find(({ check }) => check === 'latency')!.figures!;
    const patient = { ...canary, minimumEvents: 1500, latency: { margin: 0.15, confidence: 0.95 } };
    const figures = last(simulateRollout(patient, slow, 3));
    expect(figures.baselineMedianMs).toBeGreaterThan(190);
    expect(figures.baselineMedianMs).toBeLessThan(210);
    expect(figures.shiftMs).toBeGreaterThan(20);
    expect(figures.shiftMs).toBeLessThan(40);
    // 60 events a minute in the first step are five sessions; 1,140 beside them are 95.
    const first = simulateRollout({ ...patient, steps: canary.steps.slice(0, 1) }, healthy, 3);
    expect(last(first)).toMatchObject({
      canarySessions: 5 * first.looks.length,
      baselineSessions: 95 * first.looks.length,
    });
    // Of 63 events a minute the dozen that is not whole comes a quarter of the time.
    const broken = simulateRollout({ ...patient, eventsPerMinute: 1260, steps: canary.steps.slice(0, 1) }, healthy, 3);
    const beyond = last(broken).canarySessions! - 5 * broken.looks.length;
    expect(beyond / broken.looks.length).toBeGreaterThan(0.05);
    expect(beyond / broken.looks.length).toBeLessThan(0.5);
    expect(broken.looks[0]!.events).toBe(63);
  });

  it('harms nobody by a release that is better', () => {
    expect(simulateRollout(canary, { ...healthy, baselineBurn: 1, canaryBurn: 0 }, 1).harmedEvents).toBe(0);
  });

  it('stops even a release that fails always, at once when it may', () => {
    const rollout = simulateRollout(canary, { ...healthy, canaryBurn: 1000 }, 1);
    expect(rollout).toMatchObject({ outcome: 'rolled back', endedAtMs: 10 * 60_000 });
    expect(rollout.looks.every(({ bad, events }) => bad === events)).toBe(true);
    expect(rollout.harmedEvents).toBeCloseTo(600 * 0.995, 6);
  });

  it('pauses when nothing can be decided', () => {
    const strict = { ...canary, minimumEvents: 1_000_000 };
    expect(simulateRollout(strict, healthy, 1)).toMatchObject({
      outcome: 'paused',
      share: 0.05,
      endedAtMs: 60 * 60_000,
    });
  });

  it('is the same again with the same seed, and another with another', () => {
    const [first, again, other] = [5, 5, 6].map((seed) => JSON.stringify(simulateRollout(canary, healthy, seed)));
    expect(again === first).toBe(true);
    expect(other === first).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/server/limits.ts';
import { IdleMachine } from '../../../src/server/overload/idle-machine.ts';
import { SessionLimit } from '../../../src/server/overload/session-limit.ts';

/** A limit that is always filled, on a machine of two cores, decision by decision. */
function grown(decisions: number, idleAt: (decision: number) => number | undefined, sessions?: number): number[] {
  const limit = new SessionLimit(defaultLimits, 2);
  return Array.from({ length: decisions }, (_, decision) => {
    const full = sessions ?? limit.value;
    limit.decide({ nowMs: decision * 250, sessions: full, utilisation: 0.1, idle: idleAt(decision), verdict: 'under' });
    return limit.value;
  });
}

describe('the number of places', () => {
  it.each([undefined, 1, 0.25])('grows by a tenth at each decision while %s of the machine is idle', (idle) => {
    expect(grown(3, () => idle)).toEqual([165, 181, 199]);
  });

  it('climbs by a session a second from where less than that is left, and does not fall for it', () => {
    const values = grown(12, (decision) => (decision < 3 ? 0.5 : 0.1));
    expect(values.slice(0, 3)).toEqual([165, 181, 199]);
    expect(values.at(-1)! - 199).toBeLessThanOrEqual(3);
    expect(Math.min(...values.slice(3))).toBeGreaterThanOrEqual(199);
  });

  it('leaps on when the machine is idle again, be it after a moment or later', () => {
    const values = grown(40, (decision) => (decision < 20 ? 0.1 : 0.6));
    expect(values[19]! - values[0]!).toBeLessThanOrEqual(5);
    expect(values[30]!).toBeGreaterThan(250);
    expect(grown(3, (decision) => (decision === 1 ? 0.2 : 0.6))).toEqual([165, 165, 181]);
  });

  it('climbs by no more than that a second, however long nothing was late, until the machine is idle again', () => {
    const values = grown(240, (decision) => (decision < 3 ? 0.5 : decision < 160 ? 0.1 : 0.6));
    expect(values[159]! - values[3]!).toBeLessThanOrEqual(40);
    expect(values[159]! - values[3]!).toBeGreaterThanOrEqual(38);
    expect(values[239]! - values[159]!).toBeGreaterThan(100);
  });

  it('stays where it is while next to nothing is left, and climbs from below the first guess all the same', () => {
    const values = grown(200, (decision) => (decision < 3 ? 0.5 : 0.02));
    expect(values[199]! - values[3]!).toBeLessThanOrEqual(2);

    const limit = new SessionLimit(defaultLimits, 2);
    limit.hold(0, 60);
    for (let decision = 1; decision <= 80; decision++)
      limit.decide({ nowMs: decision * 250, sessions: limit.value, utilisation: 0.1, idle: 0, verdict: 'under' });
    expect(limit.value).toBe(80);
  });

  it.each([
    ['which it fills itself, as slowly as after a cut', { own: 1.4, others: 0.6 }, [60, 63, 67]],
    ['which others fill, all that it was guessed to carry', { own: 0.6, others: 1.4 }, [150, 150, 150]],
    ['which it fills as far as anybody knows, likewise', undefined, [150, 150, 150]],
  ])('lets into a machine %s', (_, used, places) => {
    const limit = new SessionLimit(defaultLimits, 2);
    const decided = (decisions: number, idle: number, sessions: () => number) => {
      for (let decision = 0; decision < decisions; decision++)
        limit.decide({ nowMs: 0, sessions: sessions(), utilisation: 0.5, idle, used, verdict: 'under' });
      return limit.value;
    };
    const full = () => Math.min(limit.value, 70);
    expect([decided(1, 0, () => 60), decided(12, 0, full), decided(16, 0, full)]).toEqual(places);
    // What was guessed counts again as soon as some of the machine is left.
    expect(decided(2, 0.5, full)).toBe(150);
  });

  it('holds no places back from the first few, nor gives one where feedback is not in time', () => {
    const limit = new SessionLimit(defaultLimits, 2);
    const seen = { nowMs: 0, utilisation: 0.5, idle: 0, used: { own: 2, others: 0 } };
    limit.decide({ ...seen, sessions: 3, verdict: 'under' });
    expect(limit.value).toBe(150);
    limit.decide({ ...seen, sessions: defaultLimits.leastSessions, verdict: 'under' });
    expect(limit.value).toBe(defaultLimits.leastSessions);
    for (let decision = 0; decision < 40; decision++) limit.decide({ ...seen, sessions: 60, verdict: undefined });
    expect(limit.value).toBe(60);
  });

  it('is not bound by a machine that others have filled before there is anybody', () => {
    const few = grown(4, (decision) => (decision === 0 ? 0 : 0.5), 1);
    expect(few).toEqual([150, 150, 150, 150]);
  });
});

it.each<[what: string, readings: [idleMs: number, allMs: number][], shares: (number | undefined)[]]>([
  [
    'all of it',
    [
      [0, 0],
      [500, 500],
    ],
    [1],
  ],
  [
    'a part, then another',
    [
      [100, 1000],
      [150, 1500],
      [600, 2000],
    ],
    [0.1, 0.9],
  ],
  [
    'nothing known within a tick',
    [
      [0, 100],
      [0, 100],
      [50, 200],
    ],
    [undefined, 0.5],
  ],
  [
    'clocks that step back',
    [
      [100, 1000],
      [90, 1100],
    ],
    [0],
  ],
])('of a machine is idle: %s', (_, readings, shares) => {
  const left = [...readings];
  const machine = new IdleMachine(() => {
    const [idleMs, allMs] = left.shift()!;
    return { cores: [{ idleMs, allMs }], usedMs: 0, atMs: 0 };
  });
  expect(shares.map(() => machine.share())).toEqual(shares);
});

it.each([
  ['cores that it may not use do not count', { allowed: new Set([0]) }, 0.1],
  ['a quota that is spent leaves nothing', { allowed: new Set([1]), quotaCores: 0.5 }, 0],
  ['a quota that is not spent leaves what the cores do', { quotaCores: 4 }, 0.5],
  ['half of a quota is left where the cores are idle', { allowed: new Set([1]), quotaCores: 1 }, 0.5],
])('of a machine that somebody shares out is idle: %s', (_, of, share) => {
  const readings = [
    { cores: [0, 0].map((ms) => ({ idleMs: ms, allMs: ms })), usedMs: 0, atMs: 0, ...of },
    { cores: [100, 900].map((idleMs) => ({ idleMs, allMs: 1000 })), usedMs: 500, atMs: 1000, ...of },
  ];
  const machine = new IdleMachine(() => readings.shift()!);
  expect(machine.share()).toBeCloseTo(share, 10);
});

it.each([
  ['of its cores', {}, { own: 0.4, others: 0.6 }],
  ['of those that it may use', { allowed: new Set([0]) }, { own: 0.4, others: 0.5 }],
  ['whatever its group has used', { quotaCores: 1, usedMs: 900 }, { own: 0.4, others: 0.6 }],
])('what others use %s', (_, of, used) => {
  const readings = [
    { cores: [0, 0].map((ms) => ({ idleMs: ms, allMs: ms })), ...of, usedMs: 0, ownMs: 0, atMs: 0 },
    { cores: [100, 900].map((idleMs) => ({ idleMs, allMs: 1000 })), usedMs: 400, ...of, ownMs: 400, atMs: 1000 },
  ];
  const machine = new IdleMachine(() => readings.shift()!);
  machine.share();
  expect(machine.used!.own).toBeCloseTo(used.own, 10);
  expect(machine.used!.others).toBeCloseTo(used.others, 10);
});

it('a core that comes or goes says nothing', () => {
  const readings = [1, 2].map((cores) => ({
    cores: Array.from({ length: cores }, () => ({ idleMs: cores, allMs: cores })),
    usedMs: 0,
    atMs: 0,
  }));
  expect(new IdleMachine(() => readings.shift()!).share()).toBeUndefined();
});

it('the idle share of this machine is a share', async () => {
  const machine = new IdleMachine();
  await expect.poll(() => machine.share()).toBeTypeOf('number');
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/server/limits.ts';
import { Ladder } from '../../../src/server/overload/ladder.ts';
import { OverloadControl } from '../../../src/server/overload/overload-control.ts';
import { createRandomStream } from '../../../src/stats/random-stream.ts';
import { SimulatedServer } from './simulated-server.ts';

const ramp = (from: number, to: number, beginMs: number, overMs: number) => (atMs: number) =>
  from + (to - from) * Math.min(1, Math.max(0, (atMs - beginMs) / overMs));

describe('a server that is offered three times what it carries', () => {
  it.each([
    { capacity: 40, rampMs: 20_000 },
    { capacity: 150, rampMs: 20_000 },
    { capacity: 150, rampMs: 5000 },
    { capacity: 220, rampMs: 40_000 },
    { capacity: 390, rampMs: 20_000 },
  ])('keeps $capacity sessions or nearly as many, and their delay below 500 ms, within a ramp of $rampMs ms', (row) => {
    const server = new SimulatedServer(row.capacity);
    server.run(80_000, ramp(0, 3 * row.capacity, 0, row.rampMs));
    expect(server.sessions).toBeGreaterThan(0.8 * row.capacity);
    expect(server.worst(0, 80_000)).toBeLessThan(500);
    expect(server.worst(row.rampMs + 5000, 80_000)).toBeLessThan(300);
    expect(server.sent).toBe(0);
    expect(server.refused).toBeGreaterThan(0);
  });

  it('refuses nobody while it carries them all', () => {
    const server = new SimulatedServer(200);
    server.run(60_000, ramp(0, 180, 0, 20_000));
    expect(server).toMatchObject({ sessions: 180, refused: 0, sent: 0 });
    expect([...server.levels]).toEqual([0]);
  });

  it('is itself again five seconds after the surge', () => {
    const server = new SimulatedServer(150);
    server.run(60_000, ramp(0, 450, 0, 20_000));
    server.run(120_000, () => 100);
    expect(server.worst(65_000, 120_000)).toBeLessThan(50);
    expect(server.control.level).toBe(0);
    expect(server.control.lateness(server.sessions, 'live')).toBeUndefined();
  });

  it('grows beyond its first guess on a machine that carries more', () => {
    const server = new SimulatedServer(900, { maxSessions: 2000 });
    server.run(60_000, ramp(0, 800, 0, 20_000));
    expect(server.sessions).toBe(800);
  });
});

const crowd = ramp(0, 900, 0, 20_000);

/** Capacity that is lost and found: a half for every other five seconds from `fromMs` to `untilMs`. */
const flapping = (fromMs: number, untilMs: number) => (atMs: number) =>
  atMs > fromMs && atMs < untilMs && Math.floor((atMs - fromMs) / 5000) % 2 === 0 ? 150 : 300;

/** A quarter of the time a neighbour takes 10 to 60 % of the machine, for a moment each time. */
function noisy(capacity: number, seed: number): (atMs: number) => number {
  const random = createRandomStream(seed, 1);
  let untilMs = 0;
  let share = 1;
  return (atMs) => {
    if (atMs >= untilMs) {
      share = random() < 0.25 ? 0.4 + 0.5 * random() : 1;
      untilMs = atMs + 200 + 600 * random();
    }
    return capacity * share;
  };
}

describe('a server that loses some of its speed', () => {
  // `needed`: as many as the machine no longer carries. More than that may have to go for a while, since
  // what waits has to be scored besides what comes.
  it.each<[string, { capacity: (atMs: number) => number; offered: (atMs: number) => number; needed: number }]>([
    ['half of it, at its limit', { capacity: (at) => (at < 40_000 ? 300 : 150), offered: crowd, needed: 150 }],
    [
      'half of it, when nobody is refused',
      { capacity: (at) => (at < 40_000 ? 300 : 150), offered: ramp(0, 270, 0, 20_000), needed: 120 },
    ],
    ['a third of it to a neighbour', { capacity: (at) => (at < 40_000 ? 300 : 200), offered: crowd, needed: 100 }],
  ])('%s: sends away as few as it must, and nobody who stays waits for more than a second', (_, row) => {
    const server = new SimulatedServer(row.capacity);
    server.run(100_000, row.offered);
    expect(server).toMatchObject({ died: 0 });
    expect(server.sent).toBeLessThan(1.15 * row.needed);
    expect(server.worst(0, 100_000)).toBeLessThan(1000);
    // What those have said who go is scored behind what those say who stay, and not told until all of it is.
    expect(server.worst(0, 100_000, 'all')).toBeLessThan(6000);
    expect(server.felt(0.95, 0, 100_000)).toBeLessThan(500);
    expect(server.felt(0.99, 20_000, 80_000)).toBeLessThan(600);
    expect(server.worst(50_000, 100_000)).toBeLessThan(300);
  });

  it('one of its two cores, and is told so: those who are too many go before anybody waits for long', () => {
    const server = new SimulatedServer((at) => (at < 40_000 ? 300 : 150));
    server.cores = (at) => (at < 40_000 ? 2 : 1);
    server.run(100_000, crowd);
    expect(server).toMatchObject({ died: 0 });
    expect(server.sent).toBeLessThan(1.15 * 150);
    expect(server.worst(0, 100_000)).toBeLessThan(600);
    expect(server.felt(0.99, 20_000, 80_000)).toBeLessThan(500);
  });

  it.each([
    ['stays: those who are too many go before anybody waits for long', 100_000, 1.15 * 110],
    ['works for a moment beside it: nobody goes', 40_400, 0],
  ])('a third of it to a neighbour that %s', (_, untilMs, most) => {
    const isBeside = (at: number) => at >= 40_000 && at < untilMs;
    const server = new SimulatedServer((at) => (isBeside(at) ? 190 : 300), { maxSessions: 290, initialSessions: 290 });
    server.used = (at) => (isBeside(at) ? { own: 0.95, others: 1.05 } : { own: 1.45, others: 0.55 });
    server.run(100_000, crowd);
    expect(server).toMatchObject({ died: 0 });
    expect(server.sent).toBeLessThanOrEqual(most);
    expect(server.worst(0, 100_000)).toBeLessThan(500);
    expect(server.felt(0.99, 20_000, 80_000)).toBeLessThan(500);
  });

  it('over and over: nobody waits for long, nobody dies, and it is full again half a minute after', () => {
    const server = new SimulatedServer(flapping(40_000, 90_000));
    server.run(90_000, crowd);
    expect(server.worst(0, 90_000)).toBeLessThan(1000);
    server.run(130_000, crowd);
    expect(server).toMatchObject({ died: 0 });
    expect(server.sessions).toBeGreaterThan(240);
  });

  it('for a while: half a minute after it has it back it lets in as many as before', () => {
    const server = new SimulatedServer((at) => (at > 40_000 && at < 50_000 ? 150 : 300));
    server.run(40_000, crowd);
    const before = server.sessions;
    server.run(80_000, crowd);
    expect(server.sessions).toBeGreaterThan(0.9 * before);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a moment at a time: a third more than it needs is enough for all to stay (%d)',
    (seed) => {
      const server = new SimulatedServer(noisy(300, seed));
      server.run(100_000, ramp(0, 200, 0, 20_000));
      expect(server).toMatchObject({ sessions: 200, died: 0, sent: 0 });
      expect(server.felt(0.95, 0, 100_000)).toBeLessThan(300);
    },
  );

  it.each([
    ['at its limit', crowd],
    ['with room for more', ramp(0, 200, 0, 20_000)],
  ])('stands still for two seconds, %s: it catches up, and nobody has to go', (_, offered) => {
    const server = new SimulatedServer((at) => (at >= 40_000 && at < 42_000 ? 0 : 300));
    server.run(40_000, offered);
    const before = { sessions: server.sessions, limit: server.control.sessionLimit };
    server.run(72_000, offered);
    expect(server).toMatchObject({ died: 0, sent: 0 });
    expect(server.sessions).toBeGreaterThanOrEqual(0.9 * before.sessions);
    expect(server.control.sessionLimit).toBeGreaterThanOrEqual(0.9 * before.limit);
    expect(server.worst(70_000, 72_000)).toBeLessThan(150);
  });

  it('knows how much its sessions say: those who are silent half of the time are twice as many', () => {
    const server = new SimulatedServer(
      (at) => (at < 40_000 ? 150 : 75),
      { maxSessions: 1000, initialSessions: 300 },
      0.5,
    );
    server.run(80_000, ramp(0, 280, 0, 20_000));
    expect(server).toMatchObject({ died: 0 });
    expect(server.sessions).toBeGreaterThan(110);
    expect(server.sent).toBeLessThan(1.15 * 130 + 15);
    expect(server.worst(60_000, 80_000)).toBeLessThan(300);
  });
});

describe('what the control decides', () => {
  it('takes no peak for a standing delay: a collection of garbage of a second refuses nobody', () => {
    const server = new SimulatedServer(200);
    server.run(20_000, () => 100);
    server.control.felt(server.nowMs, 1000);
    server.nowMs += 1000;
    server.run(40_000, () => 100);
    expect(server).toMatchObject({ refused: 0 });
    expect([...server.levels]).toEqual([0]);
  });

  it('refuses none of the first few, however late it is, and spares them nothing', () => {
    const server = new SimulatedServer(5, { leastSessions: 20 });
    server.run(30_000, () => 19);
    expect(server).toMatchObject({ sessions: 19, refused: 0 });
    expect([...server.levels]).toEqual([0]);
  });

  it('holds a number of sessions that was fixed, whatever it feels', () => {
    const server = new SimulatedServer(20, { fixedSessions: 60, leastSessions: 5 });
    const limits = new Set<number>();
    for (let until = 1000; until <= 30_000; until += 1000) {
      server.run(until, () => 200);
      limits.add(server.control.sessionLimit);
    }
    expect([...limits]).toEqual([60]);
    expect(server.levels.size).toBeGreaterThan(1);
  });

  it('takes the delay of larger groups for no queue: the first of two results waits for the second', () => {
    const control = new OverloadControl({ ...defaultLimits }, 2);
    const load = { sessions: 100, streaming: () => 100, utilisation: () => 0.9 };
    const standing: number[] = [];
    for (let at = 0; at < 20_000; at += 20) {
      const level = control.level;
      const queueMs = at < 3000 ? 120 : 20;
      for (let i = 0; i < 20; i++) control.felt(at, queueMs + (level > 0 && i % 2 === 0 ? 100 : 0));
      control.tick(at, 20, load);
      if (at > 6000) standing.push(control.standingMs);
    }
    expect(Math.max(...standing)).toBeLessThan(30);
    expect(control.step).toBe('none');
  });

  it('takes each step at its own limit', () => {
    const at = { largerGroupsAt: 1, halfRateAt: 2, finalsOnlyAt: 3, wordsOnlyAt: 5, sheddingAt: 8 };
    const steps = [90, 150, 250, 400, 700, 900].map((delayMs) => {
      const ladder = new Ladder({ ...defaultLimits, ...at });
      for (let nowMs = 0; nowMs < 20_000; nowMs += 250) ladder.decide(nowMs, delayMs, delayMs);
      return ladder.step;
    });
    expect(steps).toEqual(['none', 'larger_groups', 'half_rate', 'finals_only', 'words_only', 'shedding']);
  });

  it('names what it refuses for', () => {
    const server = new SimulatedServer(150, { initialSessions: 20, leastSessions: 1 });
    expect(server.control.sessionLimit).toBe(20);
    server.run(10_000, () => 20);
    for (let at = 0; at < 2000; at += 20) {
      server.control.felt(10_000 + at, 280);
      server.control.tick(10_000 + at, 20, { sessions: 20, streaming: () => 20, utilisation: () => 1 });
    }
    expect(server.control.lateness(5, 'live')).toMatch(
      /feedback is \d{3} ms late for those who are here; overload_delay_ms is 100/,
    );
  });

  it('never lets more in than max_sessions, nor holds fewer than least_sessions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 500 }),
        fc.integer({ min: 10, max: 400 }),
        fc.array(
          fc.record({ offered: fc.integer({ min: 0, max: 1000 }), capacity: fc.integer({ min: 1, max: 500 }) }),
          {
            minLength: 1,
            maxLength: 6,
          },
        ),
        (capacity, maxSessions, phases) => {
          const server = new SimulatedServer(capacity, { maxSessions, leastSessions: 10 });
          for (const [i, phase] of phases.entries()) {
            server.capacity = () => phase.capacity;
            server.run((i + 1) * 4000, () => phase.offered);
            expect(server.sessions).toBeLessThanOrEqual(maxSessions);
            expect(server.control.sessionLimit).toBeLessThanOrEqual(maxSessions);
            expect(server.control.sessionLimit).toBeGreaterThanOrEqual(10);
          }
        },
      ),
      { numRuns: 25, seed: 14 },
    );
  });
});

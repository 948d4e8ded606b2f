import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/server/limits.ts';
import { Ladder } from '../../../src/server/overload/ladder.ts';
import { OverloadControl } from '../../../src/server/overload/overload-control.ts';

/**
 * A server in virtual time that works off `capacity` sessions' sound in real time: what more of them bring waits.
 * Whoever is let in stays; `offered` says how many are there or at the door.
 */
class SimulatedServer {
  readonly control: OverloadControl;
  capacity: number;
  sessions = 0;
  refused = 0;
  sent = 0;
  nowMs = 0;
  delays: { atMs: number; ms: number }[] = [];
  levels = new Set<number>();
  #backlogMs = 0;

  constructor(capacity: number, limits: Partial<Record<keyof typeof defaultLimits, number>> = {}) {
    this.capacity = capacity;
    this.control = new OverloadControl({ ...defaultLimits, ...limits } as typeof defaultLimits, 2);
  }

  run(untilMs: number, offered: (atMs: number) => number): void {
    for (; this.nowMs < untilMs; this.nowMs += tickMs) this.#step(Math.round(offered(this.nowMs)));
  }

  worst(fromMs: number, untilMs: number): number {
    return Math.max(0, ...this.delays.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).map(({ ms }) => ms));
  }

  #step(offered: number): void {
    this.sessions = Math.min(this.sessions, offered);
    // Those at the door ask once a second each.
    const asking = (offered - this.sessions) * (tickMs / 1000);
    for (let i = 0; i < asking; i++) {
      if (i + this.#chance() > asking) break;
      if (this.#mayStart()) this.sessions += 1;
      else this.refused += 1;
    }
    const use = (this.sessions / this.capacity) * spared[this.control.level]!;
    this.#backlogMs = Math.max(0, this.#backlogMs + (use - 1) * tickMs);
    const delayMs = baseMs / Math.max(0.05, 1 - Math.min(use, 0.95)) + this.#backlogMs;
    for (let i = 0; i < this.sessions * 0.2; i++) this.control.felt(this.nowMs, delayMs);
    if (this.sessions > 0) this.delays.push({ atMs: this.nowMs, ms: delayMs });
    this.control.tick(this.nowMs, tickMs, { sessions: this.sessions, utilisation: () => Math.min(1, use) });
    this.levels.add(this.control.level);
    const { live: shed } = this.control.takeShed(this.nowMs, { live: this.sessions, batch: 0 });
    this.sessions -= shed;
    this.sent += shed;
  }

  #mayStart(): boolean {
    return this.sessions < this.control.sessionLimit && this.control.lateness(this.sessions, 'live') === undefined;
  }

  #seed = 1;
  #chance(): number {
    this.#seed = (this.#seed * 48_271) % 0x7fff_ffff;
    return this.#seed / 0x7fff_ffff;
  }
}

const tickMs = 20;
const baseMs = 5;
/** What is left of a session's work at each step. */
const spared = [1, 0.9, 0.8, 0.7, 0.6, 0.6];

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

  it('keeps those inside when half of its processor is taken away, and sends as few away as it must', () => {
    const server = new SimulatedServer(150);
    server.run(40_000, ramp(0, 140, 0, 10_000));
    server.capacity = 75;
    server.run(100_000, () => 140);
    expect(server.sessions).toBeGreaterThanOrEqual(60);
    expect(server.sessions).toBeLessThan(140);
    expect(server.worst(80_000, 100_000)).toBeLessThan(300);
  });

  it('grows beyond its first guess on a machine that carries more', () => {
    const server = new SimulatedServer(900, { maxSessions: 2000 });
    server.run(60_000, ramp(0, 800, 0, 20_000));
    expect(server.sessions).toBe(800);
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
    const load = { sessions: 100, utilisation: () => 0.9 };
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
      for (let nowMs = 0; nowMs < 20_000; nowMs += 250) ladder.decide(nowMs, delayMs);
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
      server.control.tick(10_000 + at, 20, { sessions: 20, utilisation: () => 1 });
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
            server.capacity = phase.capacity;
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

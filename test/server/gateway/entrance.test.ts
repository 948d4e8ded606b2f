import { describe, expect, it } from 'vitest';
import type { CallerAccounts } from '../../../src/server/admission/accounts.ts';
import { ReturnTickets } from '../../../src/server/admission/return-tickets.ts';
import { Room } from '../../../src/server/admission/room.ts';
import { WorkBudget } from '../../../src/server/admission/work-budget.ts';
import { Entrance } from '../../../src/server/gateway/entrance.ts';
import type { UpgradeClaims } from '../../../src/server/gateway/http/upgrade.ts';
import type { Elsewhere } from '../../../src/server/hearing/router.ts';
import { defaultLimits, type Limits } from '../../../src/server/limits.ts';
import { OverloadControl } from '../../../src/server/overload/overload-control.ts';
import { newAccount } from '../../kit/server/accounts.ts';

const idle = {
  streams: 0,
  queueDepth: 0,
  stepP95Ms: 1,
  busy: 0,
  runs: 0,
  meanBatch: 1,
  silentMs: 0,
  restarts: 0,
};
const plain: UpgradeClaims = { resume: undefined, ticket: undefined, lane: 'live' };

/** The entrance of a server with ten places, in virtual time; nobody in it is real. */
class Door {
  readonly limits: Limits = {
    ...defaultLimits,
    fixedSessions: 10,
    leastSessions: 1,
    startsPerSecond: 1000,
    maxSessions: 14,
    maxConnections: 12,
    batchShare: 0.6,
    unnamedPerSecond: 2,
    unnamedBurst: 3,
  };
  nowMs = 0;
  readonly inside: { lane: 'live' | 'batch'; free: () => void; isElsewhere?: boolean }[] = [];
  detached: string[] = [];
  unstarted = 0;
  sentAway = 0;
  /** Somebody inside has many more than who asks. */
  othersHaveMore = false;
  readonly returns = new ReturnTickets(this.limits);
  readonly overload = new OverloadControl(this.limits, 2);
  readonly #accounts: CallerAccounts = [newAccount('machine')];
  readonly #room = new Room({
    limits: this.limits,
    capacity: () => this.overload.sessionLimit,
    kept: () => this.returns.kept(this.nowMs),
    candidates: {
      connections: () =>
        Array.from({ length: this.unstarted }, () => ({ account: this.#accounts[0], giveUp: () => this.unstarted-- })),
      sessions: () => [],
      forOther: () => {
        if (!this.othersHaveMore) return undefined;
        return { account: this.#accounts[0], giveUp: () => this.#sendAway(this.inside.length - 1) };
      },
      below: (rank) => {
        const place = rank === 0 ? -1 : this.inside.findLastIndex(({ lane }) => lane === 'batch');
        return place < 0 ? undefined : { account: this.#accounts[0], giveUp: () => this.#sendAway(place) };
      },
    },
    onGivenUp: () => {},
  });
  readonly #entrance = new Entrance({
    limits: this.limits,
    registry: this,
    room: this.#room,
    work: new WorkBudget(this.limits, () => this.nowMs),
    overload: this.overload,
    returns: this.returns,
    others: { detached: () => false, has: () => false },
    takesOver: false,
    capacity: () => this.overload.sessionLimit,
    state: () => ({ draining: false, engine: idle, scoring: undefined }),
    onStart: () => {},
    now: () => this.nowMs,
  });

  get size(): number {
    return this.inside.length;
  }

  has(id: string): boolean {
    return this.detached.includes(id);
  }

  hasDetached(): boolean {
    return this.detached.length > 0;
  }

  upgrade(hints: Partial<UpgradeClaims> & { maySpill?: boolean } = {}): 'let in' | number {
    return this.#entrance.connection(this.#accounts, { ...plain, ...hints })?.status ?? 'let in';
  }

  connect(): void {
    this.#room.takeConnection(this.#accounts);
  }

  start(lane: 'live' | 'batch' = 'live', ticket?: string): string {
    const how = this.#entrance.session(this.#accounts, { lane, ...(ticket && { return_ticket: ticket }) }, 10);
    if ('code' in how) return how.message;
    this.inside.push({ lane, free: how() });
    return 'started';
  }

  /** A start that others may hear. */
  spill(elsewhere: Elsewhere | undefined, lane: 'live' | 'batch' = 'live'): string {
    const how = this.#entrance.session(this.#accounts, { lane }, 10, () => elsewhere);
    if ('code' in how) return how.message;
    const { isElsewhere } = how;
    this.inside.push({ lane, free: how(), isElsewhere });
    return isElsewhere ? 'heard elsewhere' : 'started';
  }

  /** Feedback stands this late for two seconds. */
  feel(delayMs: number): void {
    for (const endMs = this.nowMs + 2000; this.nowMs < endMs; this.nowMs += 20) {
      for (let i = 0; i < 5; i++) this.overload.felt(this.nowMs, delayMs);
      this.overload.tick(this.nowMs, 20, { sessions: 10, streaming: () => 10, utilisation: () => 0.9 });
    }
  }

  #sendAway(place: number): void {
    this.sentAway += 1;
    this.inside.splice(place, 1)[0]!.free();
  }
}

function fill(door: Door, live: number, batch = 0): Door {
  for (let i = 0; i < batch; i++) expect(door.start('batch')).toBe('started');
  for (let i = 0; i < live; i++) expect(door.start()).toBe('started');
  return door;
}

const full = 'all 10 sessions that this machine carries are taken';
const late = /feedback is \d+ ms late for those who are here/;

describe('with ten places', () => {
  it.each<[string, live: number, batch: number, lane: 'live' | 'batch', expected: string | RegExp, sentAway: number]>([
    ['a learner finds the tenth', 9, 0, 'live', 'started', 0],
    ['a learner finds no eleventh', 10, 0, 'live', full, 0],
    ['a learner takes the place of a batch session', 5, 5, 'live', 'started', 1],
    ['batch finds the sixth', 0, 5, 'batch', 'started', 0],
    ['batch finds no seventh, though four are free', 0, 6, 'batch', /places that the batch lane may have/, 0],
    ['batch takes nobody his place', 6, 4, 'batch', /places that the batch lane may have/, 0],
  ])('%s', (_, live, batch, lane, expected, sentAway) => {
    const door = fill(new Door(), live, batch);
    const outcome = door.start(lane);
    if (typeof expected === 'string') expect(outcome).toBe(expected);
    else expect(outcome).toMatch(expected);
    expect(door.sentAway).toBe(sentAway);
  });

  it.each<[string, Partial<UpgradeClaims>, 'let in' | number]>([
    ['who is new', {}, 503],
    ['a program that can wait', { lane: 'batch' }, 503],
    ['a resume that names its session', { resume: 'theirs' }, 'let in'],
    ['one that names another', { resume: 'none' }, 503],
    ['a ticket that nobody gave', { ticket: 'made up' }, 503],
  ])('of which all are taken, the upgrade of %s is answered before there is a WebSocket', (_, hints, expected) => {
    const door = fill(new Door(), 10);
    door.detached = ['theirs'];
    // Those that are heard out since they may be resumes have come before.
    for (let i = 0; i < 3; i++) expect(door.upgrade()).toBe('let in');
    expect(door.upgrade(hints)).toBe(expected);
  });

  it('hears out a few a second that may be resumes without saying so, and only while there is something to resume', () => {
    const door = fill(new Door(), 10);
    expect(door.upgrade()).toBe(503);
    door.detached = ['theirs'];
    const inASecond = () => Array.from({ length: 20 }, () => door.upgrade()).filter((one) => one === 'let in').length;
    expect(inASecond()).toBe(3);
    door.nowMs += 1000;
    expect(inASecond()).toBe(2);
  });

  it('gives a socket that does not start to a resume, and to nobody else', () => {
    const door = new Door();
    door.detached = ['theirs'];
    door.unstarted = 12;
    for (let i = 0; i < 12; i++) door.connect();
    expect(door.upgrade()).toBe(503);
    expect(door.upgrade({ resume: 'theirs' })).toBe('let in');
    expect(door.unstarted).toBe(11);
  });
});

describe('a session that others may hear', () => {
  it.each<[string, taken: number, Elsewhere | undefined, 'live' | 'batch', expected: string]>([
    ['has a place while there is one', 9, 'when full', 'live', 'started'],
    ['is heard elsewhere when all are taken', 10, 'when full', 'live', 'heard elsewhere'],
    ['is refused when its rule says nothing of that', 10, undefined, 'live', full],
    ['that can wait goes elsewhere when its share is taken', 6, 'when full', 'batch', 'heard elsewhere'],
    ['in a language of others takes no place though there are some', 3, 'always', 'live', 'heard elsewhere'],
  ])('%s', (_, taken, elsewhere, lane, expected) => {
    expect(fill(new Door(), taken).spill(elsewhere, lane)).toBe(expected);
  });

  it('comes back to places of our own, which those elsewhere have not taken', () => {
    const door = fill(new Door(), 10);
    expect([1, 2].map(() => door.spill('when full'))).toEqual(['heard elsewhere', 'heard elsewhere']);
    door.inside.shift()!.free();
    expect([1, 2].map(() => door.spill('when full'))).toEqual(['started', 'heard elsewhere']);
    for (const { isElsewhere, free } of door.inside) if (isElsewhere) free();
    expect(door.start()).toBe(full);
  });

  it('is one of max_sessions, whoever hears it', () => {
    const door = fill(new Door(), 10);
    for (let i = 0; i < 4; i++) expect(door.spill('when full')).toBe('heard elsewhere');
    expect(door.spill('when full')).toBe(full);
    expect(door.upgrade({ maySpill: true })).toBe(503);
    door.inside.pop()!.free();
    expect(door.upgrade({ maySpill: true })).toBe('let in');
    expect(door.upgrade()).toBe(503);
  });

  it('is refused while feedback is late', () => {
    const door = fill(new Door(), 10);
    door.feel(150);
    expect(door.upgrade({ maySpill: true })).toBe(503);
    expect(door.spill('when full')).toMatch(late);
    expect(door.spill('always')).toMatch(late);
  });
});

describe('whoever was sent away', () => {
  const sent = () => {
    const door = fill(new Door(), 9);
    return { door, ticket: door.returns.issue(door.nowMs, 5000) };
  };

  it.each<[string, atMs: number, withTicket: boolean, 'started' | 'refused']>([
    ['finds its place as told', 5000, true, 'started'],
    ['finds it before, where there is room', 100, true, 'started'],
    ['finds it half a minute late', 34_000, true, 'started'],
    ['goes before who is new', 5000, false, 'refused'],
    ['has lost it after that', 36_000, false, 'started'],
  ])('%s', (_, atMs, withTicket, expected) => {
    const { door, ticket } = sent();
    door.nowMs = atMs;
    const hints = withTicket ? { ticket } : {};
    expect(door.upgrade(hints)).toBe(expected === 'started' ? 'let in' : 503);
    expect(door.start('live', withTicket ? ticket : undefined)).toBe(expected === 'started' ? 'started' : full);
  });

  it('finds one place with one ticket', () => {
    const { door, ticket } = sent();
    expect(door.start('live', ticket)).toBe('started');
    expect(door.start('live', ticket)).toBe(full);
  });

  it('is remembered by as many tickets as there may be sessions', () => {
    const tickets = new ReturnTickets({ maxSessions: 3, returnMs: 1000 });
    const issued = Array.from({ length: 5 }, () => tickets.issue(0, 100));
    expect(issued.map((ticket) => tickets.has(50, ticket))).toEqual([false, false, true, true, true]);
    expect([tickets.kept(1099), tickets.kept(1100)]).toEqual([3, 0]);
  });
});

describe('while feedback is late', () => {
  it.each<[string, 'live' | 'batch', RegExp]>([
    ['a learner', 'live', late],
    ['a program that can wait', 'batch', late],
  ])('%s is refused', (_, lane, expected) => {
    const door = fill(new Door(), 5);
    door.feel(150);
    expect(door.upgrade({ lane })).toBe(503);
    expect(door.start(lane)).toMatch(expected);
  });

  it.each(['late', 'full'])('a learner who has fewer than others takes the place of one of theirs: %s', (why) => {
    const door = fill(new Door(), why === 'late' ? 5 : 10);
    door.othersHaveMore = true;
    if (why === 'late') door.feel(150);
    expect(door.upgrade()).toBe('let in');
    expect(door.sentAway).toBe(0);
    expect(door.start()).toBe('started');
    expect([door.sentAway, door.inside.length]).toEqual([1, why === 'late' ? 5 : 10]);
  });

  it('a resume is let in', () => {
    const door = fill(new Door(), 5);
    door.detached = ['theirs'];
    door.feel(150);
    expect(door.upgrade({ resume: 'theirs' })).toBe('let in');
  });

  it('the batch lane goes first, then the newest learners', () => {
    const { overload } = new Door();
    const shed = (delayMs: number, seconds: number, sessions: { live: number; batch: number }) => {
      const gone = { live: 0, batch: 0 };
      const carried = 70;
      for (let at = 0; at < seconds * 1000; at += 20, clock += 20) {
        for (let i = 0; i < 5; i++) overload.felt(clock, delayMs);
        overload.scored(clock, 20 * carried);
        const all = sessions.live + sessions.batch;
        overload.tick(clock, 20, { sessions: all, streaming: () => all, utilisation: () => 0.9 });
        const { live, batch } = overload.takeShed(clock, () => sessions);
        gone.live += live;
        gone.batch += batch;
        sessions.live -= live;
        sessions.batch -= batch;
      }
      return gone;
    };
    let clock = 0;
    expect(shed(180, 6, { live: 100, batch: 20 })).toEqual({ live: 0, batch: 20 });
    const { live } = shed(500, 8, { live: 100, batch: 0 });
    expect(live).toBeGreaterThanOrEqual(30);
    expect(live).toBeLessThan(50);
  });
});

import { describe, expect, it } from 'vitest';
import { DatagramMeter } from '../../src/proxy/datagram-meter.ts';
import { DatagramPassage, idleUs } from '../../src/proxy/datagram-passage.ts';
import { HeldBytes } from '../../src/proxy/held-bytes.ts';
import type { NetworkProfile } from '../../src/sim/profile/profile.ts';
import { simulateFlow } from '../../src/sim/run-flow.ts';
import { iid, symmetric } from '../kit/profiles.ts';

describe('datagrams through a network', () => {
  it('arrive after the delay, whole and in order, both ways', () => {
    const path = passageThrough(symmetric(25));
    path.at(0, () => path.say('a'));
    path.at(10, () => path.say('b'));
    path.at(20, () => path.answer('c'));
    path.runUntil(1000);
    expect(path.arrived).toEqual([
      { to: 'upstream 0', text: 'a', atMs: 25 },
      { to: 'upstream 0', text: 'b', atMs: 35 },
      { to: 'client', text: 'c', atMs: 45 },
    ]);
    expect(path.meter.total()).toMatchObject({
      up: { datagrams: 2, bytes: 2, passed: 2, lost: 0, queue_drops: 0, overflow: 0, max_ms: expect.closeTo(25, 1) },
      down: { datagrams: 1, passed: 1 },
    });
    expect(path.held.held).toBe(0);
  });

  it('pass at once without a delay', () => {
    const path = passageThrough(symmetric(0));
    path.at(5, () => path.say('a'));
    path.at(5, () => path.say(''));
    path.runUntil(5);
    expect(path.arrived.map(({ text, atMs }) => [text, atMs])).toEqual([
      ['a', 5],
      ['', 5],
    ]);
  });

  it.each([
    ['none', 0, 0, 0],
    ['2 %', 0.02, 0.015, 0.025],
    ['all', 1, 1, 1],
  ])('are lost as the network says: %s', (_, share, least, most) => {
    const path = passageThrough(symmetric(25, iid(share)));
    sayEach(path, 1, 10_000);
    path.runUntil(20_000);
    const { up } = path.meter.total();
    expect(up.lost / up.datagrams).toBeGreaterThanOrEqual(least);
    expect(up.lost / up.datagrams).toBeLessThanOrEqual(most);
    expect(up.passed + up.lost).toBe(10_000);
    expect(path.held.held).toBe(0);
  });

  it('are lost in the same places as in virtual time with the same seed', () => {
    const bursts = { model: 'gilbert-elliott', clock: 'packet', p: 0.01, r: 0.32, lossBad: 1, lossGood: 0 } as const;
    const lostOf = (seed: number) => {
      const path = passageThrough(symmetric(5, bursts), { seed });
      sayEach(path, 1, 2000);
      path.runUntil(5000);
      return path.arrived.map(({ text }) => text).join(' ');
    };
    expect(lostOf(1)).toBe(lostOf(1));
    expect(lostOf(1)).not.toBe(lostOf(2));
    const gaps = runsMissing(lostOf(3).split(' ').map(Number), 2000);
    // A bad spell lasts 3.1 packets in the mean.
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeGreaterThan(2);
  });

  it('wait for a link that is slow, and find its queue full', () => {
    // 100 bytes with headers each 10 ms.
    const path = passageThrough(symmetric(1, undefined, { rateBitsPerSecond: 80_000, queuePackets: 3 }));
    path.at(0, () => {
      for (let number = 0; number < 10; number++) path.say(String(number).padEnd(58, '.'));
    });
    path.runUntil(1000);
    expect(path.arrived.map(({ text, atMs }) => [text[0], atMs])).toEqual([
      ['0', 11],
      ['1', 21],
      ['2', 31],
    ]);
    expect(path.meter.total().up).toMatchObject({ passed: 3, lost: 0, queue_drops: 7 });
  });

  it.each([
    ['stay in order', false],
    ['overtake one another', true],
  ])('%s with jitter when reorder is %s', (_, reorder) => {
    const jitter = { valueUs: 10_000, distribution: 'uniform', correlation: 0 } as const;
    const path = passageThrough(symmetric(25, undefined, { jitter, reorder }));
    sayEach(path, 1, 500);
    path.runUntil(2000);
    const order = path.arrived.map(({ text }) => Number(text));
    const times = path.arrived.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(order).toHaveLength(500);
    if (reorder) expect(order).not.toEqual([...order].sort((a, b) => a - b));
    else expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('wait in a gap that keeps them, and are lost in one that drops', () => {
    const gap = { kind: 'outage', gapUs: 100_000, when: { atUs: 50_000 } } as const;
    const delivered = (mode: 'buffer' | 'drop') => {
      const path = passageThrough(symmetric(10, undefined, {}, { events: [{ ...gap, mode }] }));
      for (const ms of [0, 60, 140, 160]) path.at(ms, () => path.say(String(ms)));
      path.runUntil(1000);
      return path.arrived.map(({ text, atMs }) => `${text} at ${atMs}`);
    };
    expect(delivered('buffer')).toEqual(['0 at 10', '60 at 160', '140 at 160', '160 at 170']);
    expect(delivered('drop')).toEqual(['0 at 10', '160 at 170']);
  });

  it('leave from another address once the device has one, and those to the old one are lost', () => {
    const change = {
      kind: 'ip-change',
      when: { atUs: 100_000 },
      oldSocket: 'silent',
      backoffUs: { first: 1, most: 1 },
    } as const;
    const path = passageThrough(symmetric(30, undefined, {}, { events: [change] }));
    path.at(90, () => path.say('before'));
    path.at(90, () => path.answer('late'));
    path.at(110, () => path.answer('to the old address', 0));
    path.at(120, () => path.say('after'));
    path.at(160, () => path.answer('to the new address', 1));
    path.runUntil(1000);
    expect(path.arrived).toEqual([
      { to: 'upstream 0', text: 'before', atMs: 120 },
      { to: 'upstream 1', text: 'after', atMs: 150 },
      { to: 'client', text: 'to the new address', atMs: 190 },
    ]);
    expect(path.meter.total().down).toMatchObject({ datagrams: 3, passed: 1, lost: 2 });
    expect(path.meter.clients.moved).toBe(1);
    expect(path.held.held).toBe(0);
  });

  it('are dropped and counted when the proxy has no room', () => {
    const path = passageThrough(symmetric(1000), { mostBytes: 10_000 });
    path.at(0, () => {
      for (let number = 0; number < 50; number++) path.say('x'.repeat(744));
    });
    path.runUntil(5000);
    expect(path.meter.total().up).toMatchObject({ datagrams: 50, passed: 10, overflow: 40 });
    expect(path.held.held).toBe(0);
  });

  it('are counted as dropped when the system does not take them', () => {
    const path = passageThrough(symmetric(1), { taken: false });
    path.at(0, () => path.say('a'));
    path.runUntil(100);
    expect(path.meter.total().up).toMatchObject({ passed: 0, overflow: 1, p50_ms: null });
    expect(path.held.held).toBe(0);
  });

  it('end with a client that was silent both ways for two minutes, and not before', () => {
    const path = passageThrough(symmetric(1));
    path.at(0, () => path.say('a'));
    path.at(100_000, () => path.answer('b'));
    path.runUntil(219_000);
    expect(path.silent()).toBe(0);
    path.runUntil(100_001 + idleUs / 1000);
    expect(path.silent()).toBe(1);
  });

  it('say nothing more once closed, and hold nothing', () => {
    const path = passageThrough(symmetric(10));
    path.at(0, () => path.say('a'));
    path.at(5, () => path.close());
    path.runUntil(100);
    expect(path.arrived).toEqual([]);
    expect([path.held.held, path.outlets.map(({ closed }) => closed)]).toEqual([0, [true]]);
  });

  it('are lost as often as those of the simulated datagram transport', () => {
    const lossy = symmetric(25, iid(0.03), {}, { transport: 'quic-datagram' });
    const { up } = simulateFlow(lossy, { seed: 1, durationUs: 200_000_000, warmupUs: 0 });
    const path = passageThrough(lossy);
    sayEach(path, 20, 10_000);
    path.runUntil(300_000);
    const real = path.meter.total().up;
    expect(real.lost / real.datagrams).toBeCloseTo(up.lost / up.written, 2);
  });
});

function sayEach(path: ReturnType<typeof passageThrough>, eachMs: number, times: number): void {
  for (let number = 0; number < times; number++) path.at(number * eachMs, () => path.say(String(number)));
}

/** How many are missing in a row, each time some are. */
function runsMissing(arrived: readonly number[], sent: number): number[] {
  const there = new Set(arrived);
  const runs: number[] = [];
  for (let number = 0; number < sent; number++) {
    if (there.has(number)) continue;
    if (number > 0 && !there.has(number - 1) && runs.length > 0) runs[runs.length - 1]!++;
    else runs.push(1);
  }
  return runs;
}

/** A passage between ends in memory, on a clock that jumps from one thing due to the next. */
function passageThrough(network: NetworkProfile, { seed = 1, mostBytes = 1e9, taken = true } = {}) {
  let nowUs = 0;
  let silent = 0;
  const arrived: { to: string; text: string; atMs: number }[] = [];
  const outlets: { heard: (bytes: Buffer) => void; closed: boolean }[] = [];
  const planned: { atUs: number; act: () => void }[] = [];
  const meter = new DatagramMeter();
  const held = new HeldBytes(mostBytes);
  const senderTo = (to: string) => (bytes: Buffer, done: (taken: boolean) => void) => {
    arrived.push({ to, text: String(bytes), atMs: nowUs / 1000 });
    done(taken);
  };
  const passage = new DatagramPassage({
    network,
    key: { seed, client: 0 },
    nowUs: () => nowUs,
    client: { send: senderTo('client') },
    openOutlet: (heard) => {
      const outlet = { heard, closed: false };
      const send = senderTo(`upstream ${outlets.push(outlet) - 1}`);
      return {
        send,
        close() {
          outlet.closed = true;
        },
      };
    },
    meter,
    held,
    changed() {},
    fellSilent() {
      silent++;
      passage.close();
    },
  });
  return {
    arrived,
    meter,
    held,
    outlets,
    silent: () => silent,
    say: (text: string) => passage.say(Buffer.from(text)),
    answer: (text: string, outlet = 0) => outlets[outlet]!.heard(Buffer.from(text)),
    close: () => passage.close(),
    at(ms: number, act: () => void) {
      planned.push({ atUs: ms * 1000, act });
    },
    runUntil(ms: number) {
      planned.sort((a, b) => a.atUs - b.atUs);
      for (;;) {
        const next = planned[0]?.atUs ?? Number.POSITIVE_INFINITY;
        const atUs = Math.min(next, passage.nextUs());
        if (atUs > ms * 1000) break;
        nowUs = Math.max(nowUs, atUs);
        if (next === atUs) planned.shift()!.act();
        passage.run();
      }
      nowUs = ms * 1000;
    },
  };
}

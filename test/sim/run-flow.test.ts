import { describe, expect, it } from 'vitest';
import { simulateFlow } from '../../src/sim/run-flow.ts';
import { iid, symmetric } from '../kit/profiles.ts';

const tenSeconds = { durationUs: 10_000_000, warmupUs: 0 };

describe('a simulated flow', () => {
  it('delivers every frame one delay, and what hosts take, after it was written when nothing is lost', () => {
    const { up } = simulateFlow(symmetric(25), { ...tenSeconds, seed: 1 });
    expect(up.latenciesUs.length).toBeGreaterThan(480);
    expect(new Set(up.latenciesUs)).toEqual(new Set([25_020]));
  });

  it('is the same run with the same seed and another with another', () => {
    const hash = (seed: number) => simulateFlow(symmetric(25, iid(0.02)), { ...tenSeconds, seed, clients: 3 }).hash;
    expect(hash(7)).toBe(hash(7));
    expect(hash(7)).not.toBe(hash(8));
  });

  it('loses nothing on TCP: what is on its way at the end still arrives', () => {
    const { up } = simulateFlow(symmetric(25, iid(0.1)), { ...tenSeconds, seed: 1 });
    expect(up.lost).toBe(0);
    expect(up.undelivered).toBe(0);
    expect(up.counters.retransmissions).toBeGreaterThan(20);
  });

  it('waits ten seconds for what is on its way at the end, and writes nothing more', () => {
    const cut = (gapUs: number) => {
      const outage = { kind: 'outage', when: { atUs: 9_000_000 }, gapUs, mode: 'buffer' } as const;
      return simulateFlow(symmetric(25, undefined, {}, { events: [outage] }), { ...tenSeconds, seed: 1 }).up;
    };
    expect(cut(5_000_000)).toMatchObject({ written: 493, undelivered: 0 });
    expect(Math.max(...cut(5_000_000).latenciesUs)).toBeGreaterThan(4_900_000);
    expect(cut(600_000_000)).toMatchObject({ written: 493, undelivered: 50 });
  });

  it('says when each frame was written, one each 20 ms', () => {
    const { up } = simulateFlow(symmetric(25, iid(0.02)), { ...tenSeconds, seed: 1 });
    expect(up.sentUs.length).toBe(up.latenciesUs.length);
    expect(new Set(up.sentUs.slice(1).map((us, index) => us - up.sentUs[index]!))).toEqual(new Set([20_000]));
  });

  it('is cut in one direction alone when the outage names one', () => {
    const outage = {
      kind: 'outage',
      when: { atUs: 5_000_000 },
      gapUs: 300_000,
      mode: 'drop',
      direction: 'up',
    } as const;
    const { up, down } = simulateFlow(symmetric(25, undefined, {}, { events: [outage] }), { ...tenSeconds, seed: 1 });
    expect(Math.max(...up.latenciesUs)).toBeGreaterThan(300_000);
    expect(Math.max(...down.latenciesUs)).toBe(25_020);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  erlangB,
  erlangC,
  serversForBlocking,
  serversForWait,
  waitQuantile,
} from '../../../src/capacity/queueing/erlang.ts';
import { allenCunneenWait, kingmanWait } from '../../../src/capacity/queueing/queues.ts';

describe('Erlang B and C', () => {
  it.each([
    ['three servers, load two', erlangC(3, 2), 4 / 9, 12],
    ['fourteen servers, load ten', erlangC(14, 10), 0.174132, 6],
    ['a hundred servers, load ninety', erlangC(100, 90), 0.21694, 6],
    ['one server is M/M/1: C is rho', erlangC(1, 0.3), 0.3, 12],
    ['one server, load one: half is blocked', erlangB(1, 1), 0.5, 12],
    ['two servers, load one', erlangB(2, 1), 0.2, 12],
    ['no load blocks nobody', erlangB(4, 0), 0, 12],
    ['no server blocks everybody', erlangB(0, 3), 1, 12],
    ['an overload waits for certain', erlangC(10, 10), 1, 12],
  ])('%s', (_, found, expected, digits) => expect(found).toBeCloseTo(expected, digits));

  it('gives the p95 wait of fourteen servers at load ten and 250 ms', () => {
    expect(waitQuantile(14, 10, 250, 0.95)).toBeCloseTo(77.987, 3);
  });

  it.each([
    ['most arrivals do not wait: the median is 0', waitQuantile(14, 10, 250, 0.5), 0],
    ['an overload waits for ever', waitQuantile(10, 12, 250, 0.5), Number.POSITIVE_INFINITY],
  ])('%s', (_, found, expected) => expect(found).toBe(expected));

  it('never blocks more with one more server, and more with more load', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0.01, max: 300, noNaN: true }),
        (servers, load) => {
          expect(erlangB(servers + 1, load)).toBeLessThanOrEqual(erlangB(servers, load));
          expect(erlangB(servers, load * 1.1)).toBeGreaterThanOrEqual(erlangB(servers, load));
          expect(erlangC(servers + 1, load)).toBeLessThanOrEqual(erlangC(servers, load));
        },
      ),
    );
  });

  it.each([
    [400, 380],
    [1000, 1040],
    [250_000, 250_300],
    [250_000, 100_000],
  ])('a load of %d on %d servers is what the recursion from no server gives', (load, servers) => {
    let blocking = 1;
    for (let k = 1; k <= servers; k++) blocking = (load * blocking) / (k + load * blocking);
    expect(erlangB(servers, load) / blocking).toBeCloseTo(1, 12);
    expect(erlangB(serversForBlocking(load, blocking * 1.0001), load)).toBeLessThanOrEqual(blocking * 1.0001);
    expect(erlangB(serversForBlocking(load, blocking * 1.0001) - 1, load)).toBeGreaterThan(blocking * 1.0001);
  });

  it('takes a load of four billion, and servers without end', () => {
    const servers = serversForBlocking(4e9, 0.001);
    expect(erlangB(servers, 4e9)).toBeLessThanOrEqual(0.001);
    expect(erlangB(servers - 1, 4e9)).toBeGreaterThan(0.001);
    expect(erlangB(1e15, 1000)).toBe(0);
  });

  it('finds the fewest servers: one less would block more than the target', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 500, noNaN: true }), fc.constantFrom(0.1, 0.01, 0.001), (load, target) => {
        const servers = serversForBlocking(load, target);
        expect(erlangB(servers, load)).toBeLessThanOrEqual(target);
        expect(erlangB(servers - 1, load)).toBeGreaterThan(target);
      }),
    );
  });

  it('finds the fewest servers whose p95 wait keeps the limit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 200, noNaN: true }), fc.integer({ min: 0, max: 500 }), (load, limitMs) => {
        const servers = serversForWait(load, 250, 0.95, limitMs);
        expect(waitQuantile(servers, load, 250, 0.95)).toBeLessThanOrEqual(limitMs);
        expect(waitQuantile(servers - 1, load, 250, 0.95)).toBeGreaterThan(limitMs);
      }),
    );
  });
});

describe('queues of irregular work', () => {
  it('Allen-Cunneen: twenty servers, load sixteen, 250 ms', () => {
    expect(allenCunneenWait(20, 16, 250, { ca2: 1, cs2: 0.25 })).toBeCloseTo(10.003, 4);
  });

  it('Kingman: one server four fifths busy', () => {
    expect(kingmanWait(0.8, 250, { ca2: 1, cs2: 0.25 })).toBeCloseTo(625, 9);
  });

  it('meet at one server with exponential everything, where both are exact', () => {
    const poisson = { ca2: 1, cs2: 1 };
    expect(allenCunneenWait(1, 0.8, 250, poisson)).toBeCloseTo(kingmanWait(0.8, 250, poisson), 9);
  });

  it.each([
    ['Allen-Cunneen', allenCunneenWait(4, 4, 250, { ca2: 1, cs2: 0 })],
    ['Kingman', kingmanWait(1, 250, { ca2: 1, cs2: 0 })],
  ])('%s: a full server never catches up', (_, wait) => expect(wait).toBe(Number.POSITIVE_INFINITY));
});

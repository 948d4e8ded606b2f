import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admissions, type Choice, chooseGateway, type SelfServing } from '../../../src/server/cluster/balance.ts';
import { Restarts } from '../../../src/server/cluster/restarts.ts';
import { coresOfOne, gatewaysFor, limitsOfOne } from '../../../src/server/cluster/shares.ts';
import { gatewayOf, idPrefix } from '../../../src/server/gateway/outside/supervision.ts';
import { defaultLimits } from '../../../src/server/limits.ts';

describe('how many gateways a machine has', () => {
  it.each([
    [1, 1],
    [2, 1],
    [4, 1],
    [5, 1],
    [6, 2],
    [8, 2],
    [16, 5],
    [64, 21],
    [1000, 64],
  ])('of %i cores: %i', (cores, gateways) => {
    expect(gatewaysFor(cores)).toBe(gateways);
    expect(coresOfOne(cores, gateways)).toBeGreaterThanOrEqual(1);
  });
});

describe('the limits of one gateway', () => {
  it('add up to those of the server where they are divided, and let any text in', () => {
    const limits = limitsOfOne({ ...defaultLimits, initialSessions: 100 }, 4);
    expect(limits).toMatchObject({
      maxPendingConnections: 500,
      leastSessions: 5,
      initialSessions: 25,
      acceptsATurn: 4,
    });
    expect(limitsOfOne(defaultLimits, 64).acceptsATurn).toBe(1);
    expect(limits).toMatchObject({ maxSessions: 400, startsPerSecond: 50, phoneBurst: 20_000, initialSessions: 25 });
    expect(limitsOfOne(defaultLimits, 4).initialSessions).toBe(0);
    expect(limitsOfOne({ ...defaultLimits, maxOpenPhones: 10_000 }, 64).maxOpenPhones).toBe(8000);
  });
});

const gateway = (changes: Partial<Choice> = {}): Choice => ({
  isUp: true,
  notReady: undefined,
  connections: 0,
  sessions: 0,
  sessionLimit: 100,
  ...changes,
});

describe('the next connection', () => {
  it.each([
    ['goes to the gateway with fewest for its size', [{ connections: 30, sessionLimit: 50 }, { connections: 40 }], 1],
    ['counts sessions that wait for a resume', [{ sessions: 20 }, { connections: 10 }], 1],
    ['does not go where the model warms up while another is ready', [{ notReady: 'warms up' }, { connections: 90 }], 1],
    ['goes to one that is not ready before none', [{ isUp: false }, { notReady: 'draining' }], 1],
    ['goes nowhere while none is up', [{ isUp: false }, { isUp: false }], undefined],
  ])('%s', (_, changes, expected) => {
    const gateways = changes.map(gateway);
    for (let turn = 0; turn < 4; turn++) {
      const chosen = chooseGateway(gateways, turn);
      expect(chosen && gateways.indexOf(chosen)).toBe(expected);
    }
  });

  it('takes turns between equals', () => {
    const gateways = [gateway(), gateway(), gateway()];
    expect([0, 1, 2, 3].map((turn) => gateways.indexOf(chooseGateway(gateways, turn)!))).toEqual([0, 1, 2, 0]);
  });

  it('leaves no two gateways of one size further apart than one, whatever their number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 300 }), (count, connections) => {
        const gateways = Array.from({ length: count }, () => gateway());
        for (let turn = 0; turn < connections; turn++) chooseGateway(gateways, turn)!.connections += 1;
        const numbers = gateways.map((one) => one.connections);
        return Math.max(...numbers) - Math.min(...numbers) <= 1;
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe('gateways that take connections themselves', () => {
  const serving = ({ silentMs = 0, ...changes }: Partial<Choice> & { silentMs?: number }): SelfServing => ({
    ...gateway(changes),
    silentForMs: () => silentMs,
  });

  it.each([
    ['become as full as the emptiest with so many more', [{ connections: 50 }, { connections: 40 }], [6, 16]],
    ['take more where they carry more', [{ sessionLimit: 50 }, { sessionLimit: 200 }], [4, 16]],
    ['take none when they are that full', [{ sessions: 90 }, {}], [0, 16]],
    [
      'take none while others are ready and they are not',
      [{ notReady: 'warms up' }, { connections: 90 }],
      [undefined, 16],
    ],
    ['take some although none is ready', [{ isUp: false }, { notReady: 'draining' }], [undefined, 16]],
    ['do not wait for one that is silent', [{ silentMs: 400 }, { connections: 50 }], [66, 16]],
    ['wait for the emptiest where all are silent', [{ silentMs: 400 }, { connections: 9, silentMs: 500 }], [16, 7]],
    ['take none while none is up', [{ isUp: false }], [undefined]],
  ])('%s', (_, changes, expected) => {
    const gateways = changes.map(serving);
    const most = admissions(gateways, { nowMs: 0, least: 16 });
    expect(gateways.map((one) => most.get(one))).toEqual(expected);
  });
});

describe('a gateway that dies', () => {
  it('is started again at once, then later each time, and is given up in the end', () => {
    const restarts = new Restarts();
    const delays = Array.from({ length: 14 }, (_, at) => {
      restarts.started(at * 1000);
      return restarts.died(at * 1000 + 500);
    });
    expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(Math.max(...delays.slice(0, 12).map(Number))).toBe(30_000);
    expect(delays.slice(12)).toEqual([undefined, undefined]);
  });

  it('begins anew when it has lived for a minute', () => {
    const restarts = new Restarts();
    for (let at = 0; at < 12; at++) restarts.died(0);
    restarts.started(0);
    expect(restarts.died(61_000)).toBe(100);
  });
});

describe('the id of a session', () => {
  it.each([
    [`${idPrefix(1)}abc`, 1],
    [`${idPrefix(64)}a-b_c`, 64],
    ['abc', undefined],
    ['0.abc', undefined],
    ['1', undefined],
    ['-1.abc', undefined],
    ['1e3.abc', undefined],
    ['99999999999.abc', undefined],
    [' 1.abc', undefined],
  ])('%s names gateway %s', (id, gateway) => {
    expect(gatewayOf(id)).toBe(gateway);
  });
});

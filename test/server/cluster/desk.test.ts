import { expect, it } from 'vitest';
import { Desk, type DeskOptions } from '../../../src/server/cluster/desk.ts';
import type { AskedFor, SharedStart, WhenFree } from '../../../src/server/gateway/outside/supervision.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { createQuota } from '../../../src/server/tenants/create-quota.ts';
import { createLog } from '../../../src/telemetry/log.ts';

const log = createLog('silent', { write() {} });
const plain: Omit<DeskOptions, 'capacity'> = {
  limits: { ...defaultLimits, startBurst: 100 },
  tokens: 0,
  quota: createQuota({ store: undefined, log, busyRetryMs: 1000, onTrouble() {} }),
  hasDetached: () => false,
  giveUp: async () => undefined,
  now: () => 0,
};
const ask = {
  lane: 'live',
  phones: 10,
  key: undefined,
  isReturn: false,
  isElsewhere: false,
  sendsAway: false,
} as const;

it('lets who has fewer take the place of one who speaks at another gateway', async () => {
  const asked: AskedFor[] = [];
  const giveUp = async (_: number, what: AskedFor): Promise<WhenFree | undefined> => {
    asked.push(what);
    return what.maySpeak ? 'soon' : undefined;
  };
  const desk = new Desk({ ...plain, giveUp, capacity: () => 10 });
  const of = (address: string) => ({ owner: undefined, address });
  const start = async (address: string, how: Partial<SharedStart> = {}) => {
    const answer = await desk.session(1, of(address), { ...ask, ...how });
    return 'code' in answer ? answer.code : 'started';
  };
  const upgrade = async (address: string, sendsAway = false) => {
    const claims = { isResume: false, mayResume: true, maySpill: false, sendsAway, lane: 'live' } as const;
    const answer = await desk.connection(1, of(address), claims);
    return 'status' in answer ? answer.status : 'let in';
  };
  for (let i = 0; i < 9; i++) expect(await start('203.0.113.1')).toBe('started');
  expect([await start('203.0.113.2'), asked]).toEqual(['started', []]);
  expect([await upgrade('203.0.113.1'), await upgrade('203.0.113.2')]).toEqual([503, 'let in']);
  expect(await start('203.0.113.2')).toBe('started');
  expect(asked).toMatchObject([{ what: 'session', caller: { address: '203.0.113.1' }, maySpeak: true, rank: 3 }]);
  // Who knows better than the desk that one goes for it is believed.
  expect([await start('203.0.113.1'), await start('203.0.113.1', { sendsAway: true })]).toEqual([
    'server_busy',
    'started',
  ]);
  expect(await upgrade('203.0.113.1', true)).toBe('let in');
});

it('gives sessions that others hear no place of the models, and bounds them with all others', async () => {
  const limits = { ...defaultLimits, maxSessions: 4, placeShare: 1 };
  const desk = new Desk({ ...plain, limits, capacity: () => 2 });
  const caller = { owner: undefined, address: '127.0.0.1' };
  const start = async (isElsewhere: boolean) => {
    const answer = await desk.session(1, caller, { ...ask, isElsewhere });
    return 'code' in answer ? answer.message : 'place' in answer ? answer.place : undefined;
  };
  const claims = (maySpill: boolean) => ({
    ...{ isResume: false, mayResume: true, maySpill, sendsAway: false },
    lane: 'live' as const,
  });
  const upgrade = async (maySpill: boolean) => {
    const answer = await desk.connection(1, caller, claims(maySpill));
    return 'status' in answer ? answer.status : 'let in';
  };
  const full = 'all 2 sessions that this machine carries are taken';
  expect([await start(false), await start(false), await start(false)]).toEqual([1, 2, full]);
  expect([await upgrade(false), await upgrade(true)]).toEqual([503, 'let in']);
  expect([await start(true), await start(true), await start(true)]).toEqual([4, 5, full]);
  desk.free(4);
  expect([await start(false), await start(true)]).toEqual([full, 6]);
});

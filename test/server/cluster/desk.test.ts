import { expect, it } from 'vitest';
import { Desk } from '../../../src/server/cluster/desk.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { createQuota } from '../../../src/server/tenants/create-quota.ts';
import { createLog } from '../../../src/telemetry/log.ts';

it('gives sessions that others hear no place of the models, and bounds them with all others', async () => {
  const log = createLog('silent', { write() {} });
  const desk = new Desk({
    limits: { ...defaultLimits, maxSessions: 4, placeShare: 1 },
    tokens: 0,
    quota: createQuota({ store: undefined, log, busyRetryMs: 1000, onTrouble() {} }),
    capacity: () => 2,
    hasDetached: () => false,
    giveUp: async () => undefined,
    now: () => 0,
  });
  const caller = { owner: undefined, address: '127.0.0.1' };
  const start = async (isElsewhere: boolean) => {
    const ask = { lane: 'live', phones: 10, key: undefined, isReturn: false, isElsewhere, sendsAway: false } as const;
    const answer = await desk.session(1, caller, ask);
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

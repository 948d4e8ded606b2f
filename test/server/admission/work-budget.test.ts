import { describe, expect, it } from 'vitest';
import { WorkBudget } from '../../../src/server/admission/work-budget.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { newAccount } from '../../kit/server/accounts.ts';

function budgetOf(limits: Partial<Record<keyof typeof defaultLimits, number>>) {
  const clock = { nowMs: 0 };
  return { clock, budget: new WorkBudget({ ...defaultLimits, ...limits }, () => clock.nowMs) };
}

describe('the account of a socket', () => {
  it('takes a burst, then as many phones as its rate gives, and says how long to wait', () => {
    const { clock, budget } = budgetOf({ phonesPerSecond: 100, phoneBurst: 300 });
    const account = budget.account([newAccount()]);
    expect([200, 100].map((phones) => account.charge(phones))).toEqual([undefined, undefined]);
    expect(account.charge(50)).toMatchObject({ code: 'rate_limited', retryAfterMs: 500 });
    expect(account.charge(50)!.message).toContain('phones_per_second is 100, phone_burst 300');
    clock.nowMs = 500;
    expect(account.charge(50)).toBeUndefined();
  });

  it('lends a full bucket to one text that is larger, and waits for what it owes', () => {
    const { clock, budget } = budgetOf({ phonesPerSecond: 100, phoneBurst: 300 });
    const account = budget.account([newAccount()]);
    expect(account.charge(400)).toBeUndefined();
    expect(account.charge(1)).toMatchObject({ retryAfterMs: 1010 });
    clock.nowMs = 1010;
    expect(account.charge(1)).toBeUndefined();
  });

  it('pays for nobody else', () => {
    const { budget } = budgetOf({ phonesPerSecond: 1, phoneBurst: 300 });
    budget.account([newAccount()]).charge(300);
    expect(budget.account([newAccount()]).charge(300)).toBeUndefined();
  });
});

describe('the budget of a server', () => {
  it('holds no more open phones than its limit, and gets back what is released, once', () => {
    const { budget } = budgetOf({ maxOpenPhones: 1000 });
    const release = budget.account([newAccount()]).hold(600);
    expect(budget.account([newAccount()]).hold(401)).toMatchObject({
      code: 'server_busy',
      message: expect.stringContaining('max_open_phones is 1000'),
      retryAfterMs: defaultLimits.busyRetryMs,
    });
    if (typeof release !== 'function') expect.unreachable();
    release();
    release();
    expect(budget.openPhones).toBe(0);
    expect(budget.account([newAccount()]).hold(1000)).toBeTypeOf('function');
  });

  it('counts every text under the token and the address of its sender too', () => {
    const limits = { startPhonesPerSecond: 1000, startPhoneBurst: 2000, phoneBurst: 10_000 };
    const { clock, budget } = budgetOf(limits);
    const [token, address] = [newAccount('token', { limits }), newAccount('address', { limits, isShared: false })];
    const [one, another] = [budget.account([token, address]), budget.account([token, address])];
    expect([one.charge(600), another.charge(400)]).toEqual([undefined, undefined]);
    expect(one.charge(1)).toMatchObject({
      code: 'rate_limited',
      message: 'more phones of texts a second are read than start_phones_per_second lets this token have',
      limit: 'startPhonesPerSecond',
    });
    expect(budget.account([newAccount('token', { limits }), address]).charge(1000)).toBeUndefined();
    clock.nowMs = 1;
    expect(budget.account([newAccount('token', { limits }), address]).charge(1000)).toMatchObject({
      message: expect.stringContaining('lets this address have'),
    });
  });

  it('keeps some of the phones that may be open for others', () => {
    const { budget } = budgetOf({ maxOpenPhones: 1000 });
    const [greedy, other] = [newAccount('token'), newAccount('token')];
    expect(budget.account([greedy]).hold(500)).toBeTypeOf('function');
    expect(budget.account([greedy]).hold(400)).toBeTypeOf('function');
    expect(budget.account([greedy]).hold(1)).toMatchObject({ code: 'server_busy', limit: 'maxOpenPhones' });
    expect(budget.account([other]).hold(90)).toBeTypeOf('function');
  });

  it('lets only so much text start, whoever sends it', () => {
    const { clock, budget } = budgetOf({ startPhonesPerSecond: 1000, startPhoneBurst: 2000 });
    expect(budget.admit(2000)).toBeUndefined();
    // What is refused for other reasons costs nothing here.
    expect(budget.admit(2000)).toBeUndefined();
    budget.started(2000);
    expect(budget.admit(1000)).toMatchObject({ code: 'rate_limited', retryAfterMs: 1000 });
    expect(budget.admit(1000)!.message).toContain('start_phones_per_second is 1000, start_phone_burst 2000');
    clock.nowMs = 1000;
    expect(budget.admit(1000)).toBeUndefined();
  });
});

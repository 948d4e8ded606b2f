import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accounts, refusedBy } from '../../../src/server/admission/accounts.ts';
import { defaultLimits, type Limits } from '../../../src/server/limits.ts';
import { newAccount } from '../../kit/server/accounts.ts';

describe('the accounts of a caller', () => {
  it.each([
    ['its token, which shares with others, and its address', 2, 'anna', '203.0.113.1', ['token shared', 'address']],
    ['its token, which is the only one', 1, 'anna', '203.0.113.1', ['token', 'address']],
    ['its token alone on this machine', 2, 'anna', undefined, ['token shared']],
    ['its address where there are no tokens', 0, undefined, '203.0.113.1', ['address shared']],
    ['this machine where there is neither', 0, undefined, undefined, ['machine']],
  ])('are %s', (_, tokens, owner, address, expected) => {
    const found = create({}, tokens).of({ owner, address });
    expect(found.map(({ kind, isShared }) => (isShared ? `${kind} shared` : kind))).toEqual(expected);
  });

  it('are the same at each call', () => {
    const accounts = create();
    const caller = { owner: 'anna', address: '203.0.113.1' };
    expect(accounts.of(caller)).toEqual(accounts.of(caller));
    expect(accounts.of(caller)[0]).toBe(accounts.of({ ...caller, address: undefined })[0]);
    expect(accounts.of({ ...caller, owner: 'ben' })[0]).not.toBe(accounts.of(caller)[0]);
  });

  it('are bounded in number, and those with something open are kept', () => {
    const call = fc.record({ host: fc.integer({ min: 0, max: 500 }), opens: fc.boolean() });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 400 }), (calls) => {
        const accounts = create({ maxAddresses: 20 }, 0);
        const open = new Map<string, unknown>();
        for (const { host, opens } of calls) {
          const address = `host ${host}`;
          const [account] = accounts.of({ owner: undefined, address });
          if (open.has(address)) expect(account).toBe(open.get(address));
          else if (opens && open.size < 10) {
            account.openSession();
            open.set(address, account);
          }
          expect(accounts.size).toBeLessThanOrEqual(21);
        }
      }),
    );
  });

  it('grow no further than what is open, were the limit smaller', () => {
    const accounts = create({ maxAddresses: 1 }, 0);
    const ends = [1, 2, 3].map((host) =>
      accounts.of({ owner: undefined, address: `host ${host}` })[0].openConnection(),
    );
    expect(accounts.size).toBe(4);
    for (const end of ends) end();
    for (let host = 0; host < 10; host++) accounts.of({ owner: undefined, address: `another ${host}` });
    expect(accounts.size).toBe(4);
  });
});

describe('an account', () => {
  it.each([
    ['starts', { startsPerSecond: 10, startBurst: 4 }, 'startsPerSecond', 4, 2],
    ['resumes', { resumesPerSecond: 10, resumeBurst: 3 }, 'resumesPerSecond', 3, 3],
  ] as const)('%s by its own rate, a part of it where it shares', (what, limits, limit, alone, shared) => {
    const burst = (isShared: boolean): number => {
      const account = newAccount('token', { isShared, limits });
      const act = () => (what === 'starts' ? account.start(0) : account.resume(0, true));
      for (let count = 0; ; count++) {
        const refusal = act();
        if (!refusal) continue;
        expect(refusal).toMatchObject({ code: 'rate_limited', limit, message: expect.stringContaining('this token') });
        return count;
      }
    };
    expect([burst(false), burst(true)]).toEqual([alone, shared]);
  });

  it('resumes rightly, however often it was wrong', () => {
    const account = newAccount('address', { limits: { resumesPerSecond: 1, resumeBurst: 5 } });
    for (let i = 0; i < 5; i++) expect(account.resume(0, false)).toBeUndefined();
    expect(account.resume(0, false)?.message).toContain('asked for in vain than resumes_per_second');
    expect(account.resume(0, true)).toBeUndefined();
  });

  it.each([
    ['token', 'sessions', { maxSessionsPerToken: 2 }],
    ['address', 'sessions', { maxSessionsPerAddress: 2 }],
    ['token', 'connections', { maxConnectionsPerToken: 2 }],
    ['address', 'connections', { maxConnectionsPerAddress: 2 }],
  ] as const)('of a %s has no more %s than it was given, if it was', (kind, what, limits) => {
    const account = newAccount(kind, { limits });
    const open = () => (what === 'sessions' ? account.openSession() : account.openConnection());
    const cap = () => (what === 'sessions' ? account.sessionCap : account.connectionCap);
    const [end] = [open(), open()];
    expect(cap()).toMatchObject({ code: 'rate_limited', message: expect.stringContaining(`has 2 ${what}; max_`) });
    end!();
    end!();
    expect(cap()).toBeUndefined();
    expect(account.isInUse).toBe(true);
  });

  it('of this machine has no cap', () => {
    const account = newAccount('machine', { limits: { maxSessionsPerAddress: 1, maxConnectionsPerAddress: 1 } });
    account.openSession();
    account.openConnection();
    expect([account.sessionCap, account.connectionCap]).toEqual([undefined, undefined]);
  });

  it('asks the second only when the first has nothing against it', () => {
    const refusal = { code: 'rate_limited', message: 'no' } as const;
    const asked: string[] = [];
    const ask = ({ kind }: { kind: string }) => (asked.push(kind) === 1 ? refusal : undefined);
    expect(refusedBy([newAccount('token'), newAccount('address')], ask)).toBe(refusal);
    expect(asked).toEqual(['token']);
  });
});

function create(limits: Partial<Limits> = {}, tokens = 2): Accounts {
  return new Accounts({ limits: { ...defaultLimits, ...limits }, tokens, now: () => 0 });
}

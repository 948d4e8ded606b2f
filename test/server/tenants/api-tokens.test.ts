import { describe, expect, it } from 'vitest';
import { ApiTokens } from '../../../src/server/tenants/api-tokens.ts';
import type { ScryptHash } from '../../../src/server/tenants/scrypt-hash.ts';
import { Turnstile } from '../../../src/server/tenants/turnstile.ts';
import { defer } from '../../../src/threads/defer.ts';

const salts = ['A', 'B'].map((letter) => `$scrypt$ln=14,r=8,p=1$${letter.repeat(22)}$${'A'.repeat(43)}`);
const entry = (id: string, hash = salts[0]!) => ({
  id,
  hash,
  tenant: 'school-a',
  user: undefined,
  expiresAtMs: undefined,
});
const tokenOf = (id: string, letter = 'a'): string => `sfb_${id}_${letter.repeat(43)}`;
const id = '0123456789ab';

/** Tokens whose secrets are right when they are all "a"; what is verified is counted. */
function countedTokens() {
  const state = { nowMs: 0, verified: 0 };
  const verify = async (_: ScryptHash, given: string): Promise<boolean> => {
    state.verified += 1;
    return given.endsWith(`_${'a'.repeat(43)}`);
  };
  const tokens = new ApiTokens(() => state.nowMs, verify);
  tokens.replace([entry(id)]);
  return { state, tokens };
}

describe('an API token', () => {
  it('is verified once, and known for five minutes, right or wrong', async () => {
    const { state, tokens } = countedTokens();
    for (const [letter, found] of [
      ['a', entry(id)],
      ['b', 'unknown'],
    ] as const) {
      state.verified = 0;
      for (let call = 0; call < 3; call++)
        expect(await tokens.find(tokenOf(id, letter), undefined)).toEqual(expect.anything());
      expect(await tokens.find(tokenOf(id, letter), undefined)).toEqual(
        found === 'unknown' ? found : expect.objectContaining(found),
      );
      expect(state.verified).toBe(1);
      state.nowMs += 300_001;
      await tokens.find(tokenOf(id, letter), undefined);
      expect(state.verified).toBe(2);
    }
  });

  it('that comes from many at once is verified once', async () => {
    const { state, tokens } = countedTokens();
    const found = await Promise.all(Array.from({ length: 50 }, () => tokens.find(tokenOf(id), undefined)));
    expect(found.every((one) => typeof one === 'object')).toBe(true);
    expect(state.verified).toBe(1);
  });

  it('of an id that nobody has costs no hash', async () => {
    const { state, tokens } = countedTokens();
    expect(tokens.find(tokenOf('ffffffffffff'), undefined)).toBe('unknown');
    expect(state.verified).toBe(0);
  });

  it('that was taken out, or hashed anew, is known no longer', async () => {
    const { state, tokens } = countedTokens();
    await tokens.find(tokenOf(id), undefined);
    tokens.replace([entry(id, salts[1])]);
    await tokens.find(tokenOf(id), undefined);
    expect(state.verified).toBe(2);
    tokens.replace([]);
    expect(tokens.find(tokenOf(id), undefined)).toBe('unknown');
  });

  it("that is taken out while it is verified is nobody's", async () => {
    const going = defer<boolean>();
    const tokens = new ApiTokens(
      () => 0,
      () => going.promise,
    );
    tokens.replace([entry(id)]);
    const found = tokens.find(tokenOf(id), undefined);
    tokens.replace([]);
    going.resolve(true);
    expect(await found).toBe('unknown');
  });
});

describe('a flood of wrong secrets', () => {
  it('waits behind itself: others are verified in turn, and what is too much is told so', async () => {
    const open = [defer<boolean>(), defer<boolean>()];
    let verified = 0;
    const tokens = new ApiTokens(
      () => 0,
      async (_, given) => {
        verified += 1;
        await open[0]!.promise;
        return given.endsWith('a');
      },
    );
    tokens.replace([entry(id)]);
    const flood = Array.from({ length: 26 }, (_, at) =>
      tokens.find(tokenOf(id, String.fromCharCode(98 + (at % 24))), '203.0.113.1'),
    );
    const honest = tokens.find(tokenOf(id), '203.0.113.2');
    expect(verified).toBe(2);
    open[0]!.resolve(true);
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(18);
    expect(await honest).toMatchObject({ id });
  });
});

describe('a turnstile', () => {
  it('lets addresses in by turns, and never more at once than it may', async () => {
    const turnstile = new Turnstile({ atOnce: 1, mostWaiting: 10, mostOfOne: 5 });
    const order: string[] = [];
    let running = 0;
    const job = (name: string) => async () => {
      running += 1;
      expect(running).toBe(1);
      order.push(name);
      await Promise.resolve();
      running -= 1;
    };
    await Promise.all(['a', 'a', 'a', 'b', 'c'].map((who, at) => turnstile.run(who, job(`${who}${at}`))));
    expect(order).toEqual(['a0', 'a1', 'b3', 'c4', 'a2']);
    expect(turnstile.waiting).toBe(0);
  });

  it('frees its place when the work fails', async () => {
    const turnstile = new Turnstile({ atOnce: 1, mostWaiting: 1, mostOfOne: 1 });
    await expect(turnstile.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turnstile.run('a', async () => 'yes')).toBe('yes');
  });
});

import { describe, expect, it } from 'vitest';
import type { AuditFields } from '../../../src/audit/entry.ts';
import { SpeechfbError } from '../../../src/errors.ts';
import { type KeptPolicy, PolicyKeeper } from '../../../src/flags/policy/policy-keeper.ts';
import { policyOfValue } from '../../../src/flags/source/policy-value.ts';

const canary = { name: 'next', from: 'own', to: 'vendor', share: '5%', rollback: { mode: 'window' } };
const policyOf = (more: object = {}, price = '$0.0077/min') =>
  policyOfValue(
    {
      kind: 'RoutingPolicy',
      metadata: { name: 'test' },
      spec: {
        backends: [
          { name: 'own', kind: 'scripted', price: '$0.0004/min' },
          { name: 'vendor', kind: 'scripted', price },
        ],
        rules: [{ name: 'all', to: { own: '100%' } }],
        ...more,
      },
    },
    'a test',
  );
const author = { actor: 'ada', origin: 'an operator', reason: 'cheaper' };

function keeperOf(first = policyOf(), withdrawn: string[] = []) {
  const entries: AuditFields[] = [];
  const adopted: KeptPolicy[] = [];
  const dropped: KeptPolicy[] = [];
  const audit = { broken: false };
  const keeper = new PolicyKeeper({
    first: { ...first, origin: 'routing.yaml' },
    withdrawn,
    audit: {
      async append(fields) {
        await Promise.resolve();
        if (audit.broken) throw new SpeechfbError('audit_unwritable', 'the disk is full');
        // What is told of is not done before it is written.
        expect(adopted.at(-1)?.version ?? 1).toBe(keeper.current.version);
        entries.push(fields);
        return fields;
      },
    },
    async prepare(policy) {
      // A model takes its time until it is warm.
      await Promise.resolve();
      if (policy.spec.backends[1]!.price === 13) throw new SpeechfbError('unset_variable', 'KEY is not set');
      return { adopt: () => void adopted.push(policy), drop: () => void dropped.push(policy) };
    },
  });
  return { keeper, entries, adopted, dropped, audit };
}

describe('the policy in force', () => {
  it('changes once it is written down: who, why, and what is different', async () => {
    const { keeper, entries, adopted } = keeperOf();
    expect(await keeper.propose(policyOf({}, '$0.01/min'), author)).toMatchObject({ changed: true });
    expect(entries).toEqual([
      {
        actor: 'ada',
        action: 'routing.change',
        target: 'routing',
        diff: {
          origin: 'an operator',
          changes: [{ path: 'spec.backends.vendor.price', from: '$0.0077/min', to: '$0.01/min' }],
        },
        reason: 'cheaper',
      },
    ]);
    expect(adopted.map(({ version, origin }) => [version, origin])).toEqual([[2, 'an operator']]);
    expect(keeper.current).toBe(adopted[0]);
  });

  it('does not change for the same policy, and nothing is written', async () => {
    const { keeper, entries, adopted } = keeperOf();
    expect(await keeper.propose(policyOf(), author)).toMatchObject({ changed: false, changes: [] });
    expect([entries, adopted]).toEqual([[], []]);
  });

  it('does not change where it cannot be written down', async () => {
    const { keeper, adopted, dropped, audit } = keeperOf();
    audit.broken = true;
    await expect(keeper.propose(policyOf({}, '$1/min'), author)).rejects.toThrow('the disk is full');
    // What was made ready for it is let go.
    expect([keeper.current.version, adopted, dropped.length]).toEqual([1, [], 1]);
    audit.broken = false;
    expect(await keeper.propose(policyOf({}, '$1/min'), author)).toMatchObject({ changed: true });
  });

  it('does not change where it cannot be made ready, and nothing is written', async () => {
    const { keeper, entries, adopted } = keeperOf();
    await expect(keeper.propose(policyOf({}, '$13/min'), author)).rejects.toThrow('KEY is not set');
    expect([keeper.current.version, entries, adopted]).toEqual([1, [], []]);
  });

  it('takes changes one after another, each against the one before', async () => {
    const { keeper, entries } = keeperOf();
    const prices = ['$1/min', '$2/min', '$2/min', '$3/min'];
    await Promise.all(prices.map((price) => keeper.propose(policyOf({}, price), author)));
    expect(entries.map(({ diff }) => (diff as { changes: { to: string }[] }).changes[0]!.to)).toEqual([
      '$1/min',
      '$2/min',
      '$3/min',
    ]);
  });
});

describe('a canary that is rolled back', () => {
  const figures = { canaryBad: 30, canaryEvents: 600 };

  it('is gone, with its figures in the log, and the rest of the policy stays', async () => {
    const { keeper, entries } = keeperOf(policyOf({ canary }));
    expect(await keeper.rollBack('next', { reason: 'it burned', figures })).toMatchObject({ changed: true });
    expect(keeper.current.spec.canary).toBeUndefined();
    expect(keeper.current.spec.backends).toHaveLength(2);
    expect(entries[0]).toMatchObject({
      actor: 'speechfb',
      action: 'canary.rollback',
      target: 'next',
      reason: 'it burned',
    });
    expect(entries[0]!.diff).toMatchObject({
      figures,
      changes: expect.arrayContaining([{ path: 'spec.canary.to', from: 'vendor' }]),
    });
  });

  it('does not come back when the file is touched or changed otherwise, and comes back under another name', async () => {
    const { keeper, entries } = keeperOf(policyOf({ canary }));
    await keeper.rollBack('next', { reason: 'it burned', figures });
    expect(await keeper.propose(policyOf({ canary }), author)).toMatchObject({ changed: false });
    expect(await keeper.propose(policyOf({ canary: { ...canary, share: '20%' } }, '$1/min'), author)).toMatchObject({
      changed: true,
      changes: [{ path: 'spec.backends.vendor.price' }],
    });
    expect(entries.at(-1)!.diff).toMatchObject({ withdrawn_canary: 'next' });
    expect(keeper.current.spec.canary).toBeUndefined();
    await keeper.propose(policyOf({ canary: { ...canary, name: 'next-2' } }), author);
    expect(keeper.current.spec.canary?.name).toBe('next-2');
    expect(keeper.withdrawn).toEqual(['next']);
  });

  it('stays away when the server starts anew', () => {
    expect(keeperOf(policyOf({ canary }), ['next']).keeper.current.spec.canary).toBeUndefined();
    expect(keeperOf(policyOf({ canary }), ['other']).keeper.current.spec.canary?.name).toBe('next');
  });

  it('is rolled back once, and only while it is in force', async () => {
    const { keeper, entries } = keeperOf(policyOf({ canary }));
    const [first, second] = await Promise.all([
      keeper.rollBack('next', { reason: 'a', figures }),
      keeper.rollBack('next', { reason: 'b', figures }),
    ]);
    expect([first?.changed, second]).toEqual([true, undefined]);
    expect(await keeper.rollBack('other', { reason: 'c', figures })).toBeUndefined();
    expect(entries).toHaveLength(1);
  });

  it('stays in force where its rollback cannot be written down', async () => {
    const { keeper, audit } = keeperOf(policyOf({ canary }));
    audit.broken = true;
    await expect(keeper.rollBack('next', { reason: 'it burned', figures })).rejects.toThrow('the disk is full');
    expect(keeper.current.spec.canary?.name).toBe('next');
  });
});

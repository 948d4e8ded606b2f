import { describe, expect, it, vi } from 'vitest';
import type { HearingEvents, HearingInput } from '../../../src/backends/backend.ts';
import { guard } from '../../../src/backends/guard.ts';
import { RetryBudget } from '../../../src/backends/retry-budget.ts';
import { scripted } from '../../../src/backends/scripted.ts';
import type { Hindrance } from '../../../src/routing/decide/decide.ts';
import { script } from '../../../src/routing/policy/script.ts';
import { type PolicySpec, policySpec } from '../../../src/routing/policy/spec.ts';
import { Comparer } from '../../../src/server/comparing/comparer.ts';
import type { ManagedBackend } from '../../../src/server/hearing/managed-backend.ts';
import { Router } from '../../../src/server/hearing/router.ts';
import type { SessionWitness } from '../../../src/server/hearing/witness.ts';
import type { ShadowRecord } from '../../../src/shadow/record.ts';
import { virtualTime } from '../../kit/virtual-time.ts';

const reference = 'the leader arrives at noon';

/** A backend that is driven by the test. */
class Driven implements ManagedBackend {
  readonly kind = 'scripted';
  readonly name: string;
  readonly inputs: HearingInput[] = [];
  readonly calls: string[] = [];
  on: HearingEvents | undefined;
  why: ReturnType<ManagedBackend['hindrance']>;
  throws = false;

  constructor(name: string) {
    this.name = name;
  }

  hindrance() {
    return this.why;
  }

  status(): ReturnType<ManagedBackend['status']> {
    return { breaker: { state: 'closed' }, spent: 0, most: undefined };
  }

  open(input: HearingInput, on: HearingEvents) {
    if (this.throws) throw new Error('a bug of a backend');
    this.inputs.push(input);
    this.on = on;
    const note = (call: string) => (): void => {
      if (this.throws) throw new Error('a bug of a backend');
      this.calls.push(call);
    };
    return { push: note('push'), utteranceOver: note('over'), next: note('next'), close: note('close') };
  }

  async close() {}
}

function server(more: object = {}, guarded?: ManagedBackend) {
  const spec: PolicySpec = policySpec.parse({
    backends: [
      { name: 'own', kind: 'scripted', price: '$0.001/min' },
      { name: 'next', kind: 'scripted', price: '$0.01/min' },
    ],
    rules: [{ name: 'all', to: { own: '100%' } }],
    ...more,
  });
  const clock = { ms: 0 };
  const shadow = new Driven('next');
  const policy = {
    name: 'p',
    spec,
    backends: new Map(['own', 'next'].map((name) => [name, new Driven(name)])),
    shadow: guarded ?? shadow,
  };
  const records: ShadowRecord[] = [];
  const begun: [string, string][] = [];
  const canary: [string, string, string][] = [];
  const comparer = new Comparer({
    policy: () => policy,
    ownModel: 'own 1',
    onCanarySession: (...told) => begun.push(told),
    onCanary: (...told) => canary.push(told),
    keep: (record) => records.push(record),
    now: () => clock.ms,
    wallMs: () => 0,
  });
  const nothing = (): void => {};
  const router = new Router({
    ...{ policy, load: () => 0, cold: () => false, busyRetryMs: 1, witness: comparer },
    log: { info: nothing, warn: nothing, error: nothing },
    meter: { heard: nothing, ended: nothing },
  });
  /** The witness of a session, if there is one. */
  const witness = (id: string, user?: string, tenant = 't'): SessionWitness | undefined => {
    const route = router.route({ id, language: 'en', device: undefined, lane: 'live', tenant, user });
    if ('code' in route) throw new Error(route.message);
    return route.witness(16_000);
  };
  return { clock, shadow, records, begun, canary, witness, backends: policy.backends };
}

const shadowed = { shadow: { to: 'next', share: '100%', most: '$1/h' } };
const second = new Float32Array(16_000);

/** One utterance of a second, whose final is told so much later. */
function spoken(
  session: SessionWitness,
  { clock }: { clock: { ms: number } },
  text: string | undefined,
  afterMs: number,
  by = 'own',
) {
  const utterance = session.begin(reference);
  session.push(second, 0);
  utterance.over();
  clock.ms += afterMs;
  utterance.told(text, by);
}

describe('a session that a shadow hears', () => {
  it('is kept in numbers once both have written: no word, no name', () => {
    const here = server(shadowed);
    const session = here.witness('s1', 'ada')!;
    spoken(session, here, 'The leader arrives at noon.', 200);
    expect(here.records).toEqual([]);
    here.clock.ms += 100;
    here.shadow.on!.onText({ utterance: 0, text: 'the reader arrives noon', settled: 23, isFinal: true });
    const [record] = here.records;
    expect(record).toMatchObject({
      ...{ utterance: 0, language: 'en', variant: null, words: 5, between: 2 },
      served: { backend: 'own', words: 5, wrong: 0, final_ms: 200, audio_ms: 1000, failed: null },
      shadow: { backend: 'next', words: 4, wrong: 2, final_ms: 300, audio_ms: 1000, failed: null },
    });
    expect(record!.shadow!.dollars).toBeCloseTo(0.01 / 60);
    expect(JSON.stringify(here.records)).not.toMatch(/ada|leader|reader|s1/);
  });

  it('hears what the session hears, and each utterance after the other', () => {
    const here = server(shadowed);
    const session = here.witness('s1')!;
    spoken(session, here, 'a', 10);
    spoken(session, here, 'b', 10);
    session.close();
    expect(here.shadow.calls).toEqual(['push', 'over', 'next', 'push', 'over']);
    for (const utterance of [0, 1]) here.shadow.on!.onText({ utterance, text: 'x', settled: 1, isFinal: true });
    expect(here.records.map(({ utterance }) => utterance)).toEqual([0, 1]);
    expect(here.shadow.calls.at(-1)).toBe('close');
    expect(here.shadow.inputs[0]).toMatchObject({
      session: 's1~shadow',
      language: 'en',
      sampleRateHz: 16_000,
      reference,
    });
  });

  it.each<[what: string, fail: (shadow: Driven) => void, failed: string]>([
    ['fails', (shadow) => shadow.on!.onError({ class: 'budget', message: 'no money' }), 'budget'],
    [
      'throws, which none may',
      (shadow) => {
        shadow.throws = true;
      },
      'fault',
    ],
  ])('goes on when the shadow %s', (_, fail, failed) => {
    const here = server(shadowed);
    const session = here.witness('s1')!;
    const utterance = session.begin(reference);
    fail(here.shadow);
    expect(() => session.push(second, 0)).not.toThrow();
    utterance.over();
    utterance.told('the leader arrives at noon', 'own');
    spoken(session, here, 'the leader arrives at noon', 10);
    session.close();
    expect(here.records).toHaveLength(2);
    for (const { shadow, between, served } of here.records) {
      expect([shadow!.failed, shadow!.final_ms, shadow!.wrong, between]).toEqual([failed, null, null, null]);
      expect(served.wrong).toBe(0);
    }
  });

  it('is kept without a final of a shadow that never gives one', () => {
    vi.useFakeTimers();
    try {
      const here = server(shadowed);
      const session = here.witness('s1')!;
      spoken(session, here, reference, 10);
      session.close();
      vi.advanceTimersByTime(15_001);
      expect(here.records[0]).toMatchObject({ shadow: { final_ms: null, failed: null } });
      expect(here.shadow.calls.at(-1)).toBe('close');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is of no interest while the shadow is full, or over its cost', () => {
    const here = server(shadowed);
    here.shadow.why = { why: 'over its cost', message: 'enough' };
    expect(here.witness('s1')).toBeUndefined();
    expect(server().witness('s1')).toBeUndefined();
  });

  it('is heard by it no more once that has cost what it may, by an utterance of each at most', () => {
    const time = virtualTime();
    const spec = { price: 0.6, most: 0.5, maxSessions: 30, retryBudget: new RetryBudget(), time };
    const guarded = guard(scripted('next', script.parse({}), time), spec);
    const here = server(shadowed, guarded);
    const sessions = Array.from({ length: 40 }, (_, at) => here.witness(`s${at}`)!);
    for (let round = 0; round < 10; round++) for (const session of sessions) spoken(session, here, reference, 10);
    // A second costs a cent: 50 of 400 are within the cap. Ten sessions of forty found it full.
    const { spent, counts } = guarded.status();
    expect(counts).toMatchObject({ opened: 30, hindered: { full: 0, 'over its cost': 0 } });
    expect(spent).toBeGreaterThanOrEqual(0.5 - 1e-9);
    expect(spent).toBeLessThanOrEqual(0.5 + 0.01 + 1e-9);
    expect(here.witness('later')).toBeUndefined();
    // What it did not hear is kept as what was served alone, and not held against it.
    expect(here.records).toHaveLength(400 - 50);
    expect(here.records.every(({ shadow }) => shadow === null)).toBe(true);
  });

  it('is drawn by its share, and always the same', () => {
    const here = server({ shadow: { to: 'next', share: '10%', most: '$1/h' } });
    const sessions = Array.from({ length: 500 }, (_, at) => `s${at}`);
    const heard = sessions.filter((id) => here.witness(id) !== undefined);
    expect(heard.length).toBeGreaterThan(20);
    expect(heard.length).toBeLessThan(90);
    expect(sessions.filter((id) => here.witness(id) !== undefined)).toEqual(heard);
  });
});

describe('a session of a canary, or beside it', () => {
  const rollback = { mode: 'window' };
  const canary = {
    name: 'c',
    from: 'own',
    to: 'next',
    share: '50%',
    rollback,
    bad: { finalAfter: '1s', werAbove: '50%' },
  };

  it('counts its utterances: late, wrong or heard elsewhere in the end is bad', () => {
    const here = server({ canary });
    const seen = new Set<string>();
    for (let at = 0; at < 40; at++) {
      const session = here.witness(`s${at}`)!;
      const before = here.canary.length;
      spoken(session, here, reference, 200, 'own');
      const [name, side] = here.canary[before]!;
      const own = side === 'canary' ? 'next' : 'own';
      spoken(session, here, reference, 1200, own);
      spoken(session, here, 'something else altogether was said', 200, own);
      spoken(session, here, reference, 200, own);
      const outcomes = here.canary.slice(before).map(([, , outcome]) => outcome);
      // The first was served by `own`, which is not where a session of the canary was to be heard.
      expect(outcomes).toEqual([side === 'canary' ? 'elsewhere' : 'good', 'late', 'wrong', 'good']);
      expect(here.begun.at(-1)).toEqual(['c', side]);
      expect(name).toBe('c');
      seen.add(side);
    }
    expect(seen).toEqual(new Set(['canary', 'baseline']));
    expect(here.records.every(({ shadow, canary: name }) => shadow === null && name === 'c')).toBe(true);
  });

  it('counts an utterance without a final text as bad, however long a final may take', () => {
    const here = server({ canary: { ...canary, bad: { finalAfter: '10m' } } });
    const session = here.witness('s1')!;
    spoken(session, here, undefined, 10, 'own');
    const [, side] = here.canary[0]!;
    spoken(session, here, undefined, 10, side === 'canary' ? 'next' : 'own');
    expect(here.canary.at(-1)).toEqual(['c', side, 'missing']);
    expect(here.records.at(-1)!.served).toMatchObject({ final_ms: null, wrong: null });
  });

  it.each<[why: Hindrance, counted: boolean, meaning: string]>([
    ['broken', true, 'counts against it'],
    ['full', false, 'says nothing of it'],
    ['over its cost', false, 'says nothing of it'],
  ])('that finds the backend of its canary %s (counted: %s) %s', (why, isCounted) => {
    const fallback = { name: 'next', kind: 'scripted', price: '$0.01/min', fallback: 'own' };
    const backends = [{ name: 'own', kind: 'scripted', price: '$0.001/min' }, fallback];
    const here = server({ backends, canary: { ...canary, share: '99.9%' } });
    here.backends.get('next')!.why = { why, message: 'by the test' };
    const session = here.witness('s1');
    expect(session !== undefined).toBe(isCounted);
    if (session) spoken(session, here, reference, 10, 'own');
    expect(here.canary).toEqual(isCounted ? [['c', 'canary', 'elsewhere']] : []);
  });
});

describe('what a shadow hears of each tenant', () => {
  const bounded = (perTenant: object) => server({ shadow: { ...shadowed.shadow, perTenant } });

  it.each([
    ['so many sessions at once', { maxSessions: 2 }, ['a', 'a', 'a', 'b'], [true, true, false, true]],
    ['any number, where money alone is bounded', { most: '$1/h' }, ['a', 'a', 'a'], [true, true, true]],
  ])('is %s', (_, perTenant, tenants, heard) => {
    const here = bounded(perTenant);
    const sessions = tenants.map((tenant, index) => here.witness(`s${index}`, undefined, tenant));
    expect(sessions.map((session) => session !== undefined)).toEqual(heard);
    expect(here.witness('nobody')).toBeDefined();
  });

  it('is given back when a session is over, once', () => {
    const here = bounded({ maxSessions: 1 });
    const first = here.witness('s1', undefined, 'a')!;
    spoken(first, here, 'a', 10);
    first.close();
    expect(here.witness('s2', undefined, 'a')).toBeUndefined();
    // Its last text is still awaited, and comes.
    here.shadow.on!.onText({ utterance: 0, text: 'x', settled: 1, isFinal: true });
    first.close();
    expect(here.witness('s3', undefined, 'a')).toBeDefined();
    expect(here.witness('s4', undefined, 'a')).toBeUndefined();
  });

  it('ends between two utterances once an hour has cost what it may, and begins again later', () => {
    // A second costs a sixth of a thousandth.
    const here = bounded({ most: '$0.0003/h' });
    const session = here.witness('s1', undefined, 'a')!;
    for (let count = 0; count < 3; count += 1) spoken(session, here, 'a', 10);
    expect(here.shadow.calls).toEqual(['push', 'over', 'next', 'push', 'over']);
    expect(here.witness('s2', undefined, 'a')).toBeUndefined();
    expect(here.witness('s3', undefined, 'b')).toBeDefined();
    here.clock.ms += 3_600_000;
    expect(here.witness('s4', undefined, 'a')).toBeDefined();
  });
});

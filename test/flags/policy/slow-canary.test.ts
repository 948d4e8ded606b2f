import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuditLog } from '../../../src/audit/log.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import { PolicyDesk } from '../../../src/commands/serve/routing/policy-desk.ts';
import type { KeptPolicy } from '../../../src/flags/policy/policy-keeper.ts';
import { Comparer } from '../../../src/server/comparing/comparer.ts';
import type { LocalModel } from '../../../src/server/hearing/local-model.ts';
import type { RoutedSession } from '../../../src/server/hearing/routed-session.ts';
import { Router } from '../../../src/server/hearing/router.ts';
import type { UtteranceWitness } from '../../../src/server/hearing/witness.ts';
import { liveArrivals, runScript } from '../../kit/scripted-engine.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const minuteMs = 60_000;
const reference = 'the leader arrives at noon';
const readers = 20;
const second = new Float32Array(16_000);
/** Slower than the shipped network, and still in time; slower than its sound. */
const [fast, slow] = [20, 300];
const nothing = (): void => {};

const policyText = (mode: string): string => `kind: RoutingPolicy
metadata: { name: versions }
spec:
  backends:
    - { name: own, kind: local, languages: [en], price: $0.0004/min }
    - { name: next, kind: local, model: v2, languages: [en], price: $0.0004/min, fallback: own }
    - { name: others, kind: scripted, price: $0.006/min }
  rules:
    - { name: English, when: { language: [en] }, to: { own: 100% } }
    - { name: rest, to: { others: 100% } }
  canary:
    name: v2
    from: own
    to: next
    share: 50%
    target: 99%
    bad: { finalAfter: 500ms }
    rollback: { burn: 2, for: 10m, every: 1m, mode: ${mode} }
    minimum: 100
`;

/**
 * How late the last step of each of twenty who read for three seconds is, by the engine's own
 * schedule: with networks that take so many times as long a step as the shipped one on a quiet core.
 */
const lastStepsMs = new Map(
  [1, fast, slow].map((slowness) => {
    const latest = new Map<number, number>();
    for (const { stream, arrivedMs, endedMs } of runScript(liveArrivals(readers, 3000), undefined, slowness))
      latest.set(stream, endedMs - arrivedMs);
    return [slowness, [...latest.values()]];
  }),
);

/** How slow each version is in a minute. */
type Slowness = (minute: number) => { own: number; next: number };

/** A server's router, comparer, desk and audit log, on a clock that stands until it is told to go. */
async function servedCanary(mode: string) {
  const clock = { ms: 0 };
  const file = join(temporaryDirectory(), 'audit.jsonl');
  const audit = await AuditLog.open(file);
  const log = { info: nothing, warn: nothing, error: nothing };
  const version: LocalModel = {
    ...{ identity: 'en-learner 2', engine: scriptedEngine(), scoring: scriptedScoring, sessions: 0 },
    ...{ hindrance: () => undefined, hold: () => nothing },
  };
  const inForce = ({ name, spec }: Pick<KeptPolicy, 'name' | 'spec'>) => ({
    ...{ name, spec, backends: new Map(), models: new Map([['next', version]]) },
  });
  const desk = await PolicyDesk.open({
    source: { kind: 'file', file: 'policy.yaml', text: policyText(mode), flag: 'routing', origin: 'policy.yaml' },
    ...{ region: undefined, log, audit, now: () => clock.ms },
    prepare: async (policy) => ({ adopt: () => router.adopt(inForce(policy)), drop: nothing }),
  });
  const witness = new Comparer({
    ...{ policy: () => router.policy, ownModel: 'en-learner 1', now: () => clock.ms, wallMs: () => 0 },
    onCanarySession: (name, side) => desk.began(name, side),
    onCanary: (name, side, outcome) => desk.count(name, side, outcome),
  });
  const router = new Router({
    ...{ policy: inForce(desk.current), load: () => 0, cold: () => false, busyRetryMs: 1, log, witness },
    meter: { heard: nothing, ended: nothing },
  });
  const close = async (): Promise<void> => {
    await desk[Symbol.asyncDispose]();
    await audit.close();
  };
  return { clock, file, desk, router, [Symbol.asyncDispose]: close };
}

const reader = (id: string): RoutedSession => ({
  ...{ id, language: 'en', device: undefined, lane: 'live', tenant: 't', user: id },
});

type Served = Awaited<ReturnType<typeof servedCanary>>;

/** Forty read at once in a minute; their finals come as late as the steps of whichever version has them. */
function readFor(minute: number, { clock, router }: Served, slowness: Slowness): void {
  const { own, next } = slowness(minute);
  const lags = { own: lastStepsMs.get(own)!, next: lastStepsMs.get(next)! };
  const startMs = minute * minuteMs + 10_000;
  clock.ms = startMs;
  const finals: { afterMs: number; by: string; utterance: UtteranceWitness | undefined }[] = [];
  for (let at = 0; at < 2 * readers; at += 1) {
    const id = `${minute}.${at}`;
    const route = router.route(reader(id));
    if ('code' in route) throw new Error(route.message);
    const by = route.backend.name as keyof typeof lags;
    const session = route.witness(16_000);
    const utterance = session?.begin(reference);
    session?.push(second, 0);
    utterance?.over();
    finals.push({ afterMs: lags[by][at % readers]!, by, utterance });
  }
  for (const { afterMs, by, utterance } of finals.sort((one, other) => one.afterMs - other.afterMs)) {
    clock.ms = startMs + afterMs;
    utterance?.told(reference, by);
  }
}

const always =
  (own: number, next: number): Slowness =>
  () => ({ own, next });

describe.each(['window', 'consecutive'] as const)('a version of the model by the reading %s', (mode) => {
  it.each<[what: string, slowness: Slowness, verdict: Record<typeof mode, string>]>([
    ['that takes too long for its steps', always(1, slow), { window: 'rollback', consecutive: 'rollback' }],
    ['that is as fast as the old', always(1, 1), { window: 'well', consecutive: 'well' }],
    ['that is slower, and fast enough', always(1, fast), { window: 'well', consecutive: 'well' }],
    [
      'that takes too long in every other minute',
      (minute) => ({ own: 1, next: minute % 2 === 0 ? slow : 1 }),
      { window: 'rollback', consecutive: 'well' },
    ],
    ['on a machine that is too slow for both', always(slow, slow), { window: 'undecided', consecutive: 'undecided' }],
  ])('%s', async (_, slowness, verdict) => {
    await using served = await servedCanary(mode);
    const { clock, file, desk, router } = served;
    for (let minute = 0; minute < 10; minute += 1) {
      readFor(minute, served, slowness);
      desk.look();
      expect(desk.view().canary?.verdict).not.toBe('rollback');
    }
    clock.ms = 10 * minuteMs;
    desk.look();
    const { figures } = desk.view().canary!;
    expect(desk.view().canary!.verdict).toBe(verdict[mode]);
    const isRolledBack = verdict[mode] === 'rollback';
    // What is written down comes before what is changed.
    if (isRolledBack) await expect.poll(() => desk.view().withdrawn).toEqual(['v2']);
    const entries = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    const { broken, torn, entries: intact } = await verifyAudit(file);
    expect([broken, torn, intact]).toEqual([undefined, undefined, isRolledBack ? 1 : 0]);
    for (const entry of entries) {
      expect(JSON.parse(entry)).toMatchObject({ actor: 'speechfb', action: 'canary.rollback', target: 'v2' });
      expect(JSON.parse(entry).diff.figures).toEqual(figures);
    }
    const after = Array.from({ length: 20 }, (__, at) => router.decide(reader(`after ${at}`)).backend!.name);
    expect(after.includes('next')).toBe(!isRolledBack);
  });
});

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { policyOfText } from '../src/flags/source/policy-text.ts';
import { routingPolicy } from '../src/routing/policy/policy.ts';
import type { PolicySpec } from '../src/routing/policy/spec.ts';
import type { ManagedBackend } from '../src/server/hearing/managed-backend.ts';
import { Router } from '../src/server/hearing/router.ts';
import { Transcription } from '../src/server/hearing/transcription.ts';
import { defaultLimits } from '../src/server/limits.ts';
import { createLog } from '../src/telemetry/log.ts';

// What does a routing policy cost a session at its start, and each of its frames? CPU time, less that of the
// same loop without routing.
//   npm run bench routing -- --sessions 200000 --rounds 5
// A start is the decision, the place at a backend and what gives it back; a frame is 20 ms of sound that the own model
// hears. The targets: under 20 us a start by the policy that ships, and
// nothing a frame. Each rule above the one that fits adds its own: the second row is a policy of a hundred.
const { values } = parseArgs({
  options: { sessions: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '5' } },
});
const [sessions, rounds] = [Number(values.sessions), Number(values.rounds)];
const languages = ['en-US', 'es-MX', 'sw', 'de'];
const silence = new Float32Array(320);
const events = { onReady() {}, onText() {}, onError() {} };
const policies = {
  'the one that ships': policyOfText('default', readFileSync('routing/default.yaml', 'utf8')).spec,
  '100 rules, 20 backends, a canary': manyRules(),
};
const table = new Table({
  head: ['', 'CPU us', 'slowest round'],
  style: { head: [], border: [] },
});
for (const [name, spec] of Object.entries(policies)) addRow(`a start by ${name}`, sessions, startsOf(spec));
addRow('a frame that the own model hears', sessions * 10, frames());
process.stdout.write(`${table}\nCPU time; medians of ${rounds} rounds\n`);

function addRow(name: string, count: number, run: (i: number) => void): void {
  const us = Array.from({ length: rounds }, () => usOf(count, run) - usOf(count, () => {})).sort((a, b) => a - b);
  table.push([name, us[Math.floor(us.length / 2)]!.toFixed(3), us.at(-1)!.toFixed(3)]);
}

/** Microseconds of CPU for each of `count` calls. */
function usOf(count: number, run: (i: number) => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) run(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function startsOf(spec: PolicySpec): (i: number) => void {
  const router = routerOf(spec);
  return (i) => {
    const route = router.route(sessionOf(i));
    if ('code' in route) throw new Error(route.message);
    route.open({ sampleRateHz: 16_000, reference: '', deadlineMs: 3000 }, events, () => {});
    route.end();
  };
}

/** Frames of a session that the own model writes: no policy has anything to do with its sound. */
function frames(): (i: number) => void {
  const backends = [{ name: 'own', kind: 'local', price: '$0.0004/min' }];
  const rules = [{ name: 'all', to: { own: '100%' } }];
  const { spec } = routingPolicy.parse({ kind: 'RoutingPolicy', spec: { backends, rules } });
  const route = routerOf(spec).route(sessionOf(0));
  if ('code' in route) throw new Error(route.message);
  const transcription = new Transcription({
    ...{ route, sampleRateHz: 16_000, scoresPhones: true, limits: defaultLimits },
    onLost: (message) => process.stderr.write(`${message}\n`),
  });
  transcription.begin({ startMs: 0, reference: '', onRevision() {} });
  return (i) => transcription.push(silence, i * 20);
}

function routerOf(spec: PolicySpec): Router {
  const backends = new Map<string, ManagedBackend>(
    spec.backends.filter(({ kind }) => kind !== 'local').map(({ name }) => [name, silentBackend(name)]),
  );
  return new Router({
    policy: { name: 'bench', spec, backends },
    ...{ load: () => 0.9, cold: () => false, busyRetryMs: 1000 },
    log: createLog('silent', { write() {} }),
    meter: { heard() {}, ended() {} },
  });
}

/** A backend that is well and says nothing. */
function silentBackend(name: string): ManagedBackend {
  const hearing = { push() {}, utteranceOver() {}, next() {}, close() {} };
  return {
    ...{ name, kind: 'deepgram' },
    hindrance: () => undefined,
    status: () => ({ breaker: { state: 'closed' }, spent: 0, most: undefined }),
    open: () => hearing,
    async close() {},
  };
}

function sessionOf(i: number) {
  const [language, lane, device] = [languages[i % languages.length]!, 'live', 'mid'] as const;
  return { id: `s${i}`, language, lane, device, tenant: `tenant-${i % 100}`, user: undefined };
}

/** The rule that fits is the last. */
function manyRules(): PolicySpec {
  const backends = Array.from({ length: 20 }, (_, i) => ({
    ...{ name: `b${i}`, kind: 'deepgram', price: '$0.0077/min', maxSessions: 1000 },
    ...(i < 19 && { fallback: `b${i + 1}` }),
  }));
  const rules = Array.from({ length: 99 }, (_, i) => ({
    ...{ name: `r${i}`, when: { tenant: [`other-${i}`], language: ['en', 'es'] }, to: { [`b${i % 20}`]: '100%' } },
  }));
  const canary = {
    ...{ name: 'c', from: 'b0', to: 'b1', share: '5%', target: '99%', bad: { finalAfter: '2s' }, minimum: 100 },
    rollback: { burn: 2, for: '10m', every: '1m', mode: 'window' },
  };
  const all = { name: 'all', to: { b0: '50%', b2: '50%' } };
  return routingPolicy.parse({ kind: 'RoutingPolicy', spec: { backends, rules: [...rules, all], canary } }).spec;
}

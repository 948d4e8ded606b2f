import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRoute, type Hindrance } from '../../../src/routing/decide/decide.ts';
import { drawOf } from '../../../src/routing/decide/draws.ts';
import { parseQuestion } from '../../../src/routing/decide/request.ts';
import { routingPolicy } from '../../../src/routing/policy/policy.ts';
import type { RoutedSession } from '../../../src/server/hearing/routed-session.ts';
import { Router } from '../../../src/server/hearing/router.ts';
import { ManualBackend } from '../../kit/server/manual-backend.ts';

const words = { full: 'full', broken: 'broken', 'over its cost': 'over-cost' } as const;

describe('the router of a server', () => {
  it('answers as `route --explain` does for the same session at the same moment', () => {
    const hindrance = fc.option(fc.constantFrom<Hindrance>('full', 'broken', 'over its cost'), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom('en-US', 'es', 'ja', 'sw'),
        fc.constantFrom<'live' | 'batch'>('live', 'batch'),
        fc.option(fc.constantFrom<'low' | 'high'>('low', 'high'), { nil: undefined }),
        fc.integer({ min: 0, max: 100 }),
        fc.array(hindrance, { minLength: 2, maxLength: 2 }),
        fc.uuid(),
        (language, lane, device, percent, whys, id) => {
          const { router, managed } = routerAt(percent / 100);
          for (const [at, why] of whys.entries()) managed[at]!.why = why;
          const session: RoutedSession = { id, language, lane, device, tenant: 'school', user: undefined };
          const facts = [
            `language=${language} lane=${lane} tenant=school load=${percent}% draw=${drawOf('route', id)}`,
            ...(device ? [`device=${device}`] : []),
            ...managed.flatMap(({ name, why }) => (why ? [`${name}=${words[why]}`] : [])),
            ...(percent === 100 ? ['own=full'] : []),
          ];
          const { request, draw, hindered } = parseQuestion(facts.join(' '), ['own', 'one', 'two']);
          const explained = decideRoute(spec, { ...request, draw: draw! }, ({ name }) => hindered.get(name));
          expect(router.decide(session)).toEqual(explained);
          const route = router.route(session);
          expect('code' in route ? undefined : route.backend.name).toBe(explained.backend?.name);
        },
      ),
    );
  });

  it('gives the place of a session that can wait to a learner', () => {
    const { router, managed } = routerAt(0);
    const gaveWay: string[] = [];
    const open = (id: string, lane: 'live' | 'batch') => {
      const route = router.route({ id, language: 'ja', lane, device: undefined, tenant: undefined, user: undefined });
      if ('code' in route) return route.message;
      route.open({ sampleRateHz: 16_000 }, { onReady() {}, onText() {}, onError() {} }, () => {
        gaveWay.push(id);
        route.leave();
      });
      return route;
    };
    open('batch 1', 'batch');
    open('batch 2', 'batch');
    expect(open('batch 3', 'batch')).toContain('one is full');
    open('live 1', 'live');
    open('live 2', 'live');
    expect(gaveWay).toEqual(['batch 2', 'batch 1']);
    expect(open('live 3', 'live')).toContain('one is full');
    expect(managed[0]!.hearings.length).toBe(4);
    expect(router.view().backends.find(({ name }) => name === 'one')).toMatchObject({ sessions: 2 });
  });

  it('says once that sessions spill, and once that they come again', () => {
    const { router, managed, said } = routerAt(0);
    const start = (id: string) =>
      router.route({ id, language: 'es', lane: 'live', device: undefined, tenant: undefined, user: undefined });
    managed[1]!.why = 'broken';
    start('a');
    start('b');
    managed[1]!.why = undefined;
    start('c');
    start('d');
    expect(said).toEqual(['sessions spill past a backend', 'sessions come to the backend again']);
  });

  it.each<[string, rule: object, one: Hindrance | undefined, two: Hindrance | undefined, spills: boolean]>([
    ['whose rule says nothing of it', { spill: undefined }, undefined, undefined, false],
    ['that is meant for the own model', {}, undefined, undefined, true],
    ['whose fallback is full', {}, 'full', undefined, false],
    ['of which a share has nobody', { to: { own: '50%', two: '50%' } }, undefined, 'broken', false],
    ['whose shares have somebody', { to: { own: '50%', two: '50%' } }, undefined, undefined, true],
  ])('tells whether others hear a session without its phones: one %s', (_, rule, one, two, spills) => {
    const { router, managed } = routerAt(1, spilling(rule));
    managed[0]!.why = one;
    managed[1]!.why = two;
    expect(router.spills({ language: 'en', lane: 'live', device: undefined, tenant: 't', user: 'u' })).toBe(spills);
  });

  it('never leaves a session without a place to the own model, whatever the load is meanwhile', () => {
    const { router, managed } = routerAt(0, spilling({}));
    const session = { id: 'x', language: 'en', lane: 'live', device: undefined, tenant: 't', user: 'u' } as const;
    const at = (route: ReturnType<Router['route']>) => ('code' in route ? route.code : route.backend.name);
    expect([at(router.route(session)), at(router.route(session, true))]).toEqual(['own', 'one']);
    expect([at(router.resume(session, 'own')), at(router.resume(session, 'own', true))]).toEqual(['own', 'one']);
    const route = router.resume(session, 'two', true);
    expect(at(route)).toBe('two');
    if (!('code' in route)) expect(route.fallBack({ class: 'fault', message: 'it broke' })).toBe(false);
    managed[0]!.why = 'full';
    expect(at(router.route(session, true))).toBe('server_busy');
  });

  it('takes a session of another gateway where it was, or along the chain of that', () => {
    const { router, managed } = routerAt(0);
    const session = { id: 'x', language: 'es', lane: 'live', device: undefined, tenant: 't', user: 'u' } as const;
    const at = (name: string) => {
      const route = router.resume(session, name);
      return 'code' in route ? route.code : route.backend.name;
    };
    expect(at('two')).toBe('two');
    managed[1]!.why = 'broken';
    expect(at('two')).toBe('one');
    managed[0]!.why = 'full';
    expect(at('two')).toBe('server_busy');
    expect(at('gone')).toBe('server_busy');
  });
});

const { spec } = routingPolicy.parse({
  kind: 'RoutingPolicy',
  spec: {
    backends: [
      { name: 'own', kind: 'local', languages: ['en'], price: '$0.0004/min', fallback: 'one' },
      { name: 'one', kind: 'deepgram', price: '$0.006/min', maxSessions: 2 },
      { name: 'two', kind: 'deepgram', price: '$0.006/min', fallback: 'one' },
    ],
    rules: [
      { name: 'weak', when: { device: ['low'], language: ['en'] }, to: { one: '50%', own: '50%' } },
      { name: 'spike', when: { language: ['en'], load: '>= 85%' }, to: { own: '30%', two: '70%' } },
      { name: 'steady', when: { language: ['en'] }, to: { own: '100%' } },
      { name: 'Spanish', when: { language: ['es'] }, to: { two: '100%' } },
      { name: 'rest', to: { one: '100%' } },
    ],
  },
});

/** A policy whose only rule spills, unless it is said otherwise; `two` falls back to the own model. */
function spilling(rule: object): typeof spec {
  return routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: {
      backends: [
        { name: 'own', kind: 'local', price: '$0.0004/min', fallback: 'one' },
        { name: 'one', kind: 'deepgram', price: '$0.006/min' },
        { name: 'two', kind: 'deepgram', price: '$0.006/min', fallback: 'last' },
        { name: 'last', kind: 'local', price: '$0.0004/min' },
      ],
      rules: [{ name: 'all', spill: 'without-phones', to: { own: '100%' }, ...rule }],
    },
  }).spec;
}

function routerAt(load: number, policy = spec) {
  const managed = [new ManualBackend('one'), new ManualBackend('two')];
  const said: string[] = [];
  const say = (_: object, message: string): void => void said.push(message);
  const router = new Router({
    policy: { name: 'test', spec: policy, backends: new Map(managed.map((backend) => [backend.name, backend])) },
    load: () => load,
    cold: () => false,
    busyRetryMs: 1000,
    log: { info: say, warn: say, error: say },
    meter: { heard() {}, ended() {} },
  });
  return { router, managed, said };
}

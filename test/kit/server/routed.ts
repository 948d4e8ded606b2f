import { routingPolicy } from '../../../src/routing/policy/policy.ts';
import type { RunningServer } from '../../../src/server/gateway/server.ts';
import type { Metered } from '../../../src/server/hearing/meter.ts';
import type { Witness } from '../../../src/server/hearing/witness.ts';
import { ManualBackend } from './manual-backend.ts';
import { serve } from './serve.ts';

/** A server that gives every session to `first`, and what fails there to `second`. */
export async function routed(changes: Parameters<typeof serve>[0] = {}, witness?: Witness) {
  const [first, second] = [new ManualBackend('first'), new ManualBackend('second')];
  const metered: Metered[] = [];
  const meter = { heard: (one: Metered) => void metered.push(one), ended() {} };
  const server: RunningServer = await serve({
    routing: { policy: policyOf({ all: 'first' }, first, second), meter, witness },
    ...changes,
  });
  return { server, first, second, metered };
}

/** A policy that gives every session to `all`, and lets each backend fall back to the next. */
export function policyOf({ all }: { all: string }, ...backends: ManualBackend[]) {
  const names = backends.map(({ name }) => name);
  const spec = routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: {
      backends: names.map((name, at) => ({
        ...{ name, kind: 'deepgram', price: '$0.006/min' },
        ...(at + 1 < names.length && { fallback: names[at + 1] }),
      })),
      rules: [{ name: 'all', to: { [all]: '100%' } }],
    },
  }).spec;
  return { name: 'test', spec, backends: new Map(backends.map((backend) => [backend.name, backend])) };
}

/** A server with one place of its own, whose policy spills to a backend of so many. */
export async function spilling(maxSessions: number) {
  const first = new ManualBackend('first');
  const { spec } = routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: {
      backends: [
        { name: 'own', kind: 'local', languages: ['en'], price: '$0.0004/min', fallback: 'first' },
        { name: 'first', kind: 'deepgram', price: '$0.006/min', maxSessions },
      ],
      rules: [
        { name: 'own', when: { language: ['en'] }, spill: 'without-phones', to: { own: '100%' } },
        { name: 'others', to: { first: '100%' } },
      ],
    },
  });
  const policy = { name: 'test', spec, backends: new Map([['first', first]]) };
  return { server: await serve({ routing: { policy }, limits: { fixedSessions: 1 } }), first };
}

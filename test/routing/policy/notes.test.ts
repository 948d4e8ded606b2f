import { expect, it } from 'vitest';
import { notesOf } from '../../../src/routing/policy/notes.ts';
import { routingPolicy } from '../../../src/routing/policy/policy.ts';

/** A policy whose rule for some tenants leads to `to`, with a backend that nothing else names. */
const policy = (to: Record<string, string>, more: object = {}) =>
  routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: {
      backends: [
        { name: 'one', kind: 'scripted', price: '$0/min', fallback: 'two' },
        { name: 'two', kind: 'deepgram', price: '$0/min' },
        { name: 'spare', kind: 'openai-realtime', price: '$0/min' },
      ],
      rules: [
        { name: 'some', when: { tenant: ['school', 'shool'] }, to: { one: '100%' } },
        { name: 'rest', to },
      ],
      ...more,
    },
  }).spec;

it.each<[string, ReturnType<typeof policy>, object[]]>([
  [
    'nobody comes to a backend',
    policy({ one: '100%' }),
    [
      {
        path: ['backends', 2, 'name'],
        message: 'nobody comes to "spare": no rule, fallback, canary or shadow leads there',
      },
    ],
  ],
  ['a backend is kept ready on purpose', policy({ one: '100%', spare: '0%' }), []],
  ['a shadow leads to it', policy({ one: '100%' }, { shadow: { to: 'spare', share: '1%', most: '$1/h' } }), []],
])('where %s that is noted', (_, spec, notes) => {
  expect(notesOf(spec)).toEqual(notes);
});

it('notes two bounds on the one own model', () => {
  const again = { name: 'spare', kind: 'local', price: '$0/min', maxSessions: 5 };
  const own = { name: 'two', kind: 'local', price: '$0/min' };
  const spec = policy({ one: '100%', spare: '0%' });
  const { backends } = routingPolicy.parse({
    kind: 'RoutingPolicy',
    spec: { backends: [own, again], rules: [{ name: 'all', to: { two: '50%', spare: '50%' } }] },
  }).spec;
  expect(notesOf({ ...spec, backends: [spec.backends[0]!, ...backends] })).toEqual([
    expect.objectContaining({ path: ['backends', 2, 'kind'] }),
  ]);
});

it('notes tenants of rules that the server does not have, where it has any by name', () => {
  const spec = policy({ one: '100%', spare: '0%' });
  expect(notesOf(spec, ['school', 'other'])).toEqual([
    {
      path: ['rules', 0, 'when', 'tenant', 1],
      message: 'rule "some" is for "shool", which is no tenant of this server (did you mean "school"?)',
    },
  ]);
});

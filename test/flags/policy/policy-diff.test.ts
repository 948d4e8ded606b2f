import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyDiff } from '../../../src/flags/policy/policy-diff.ts';

const own = { name: 'own', kind: 'local', price: '$0.0004/min' };
const vendor = { name: 'vendor', kind: 'deepgram', price: '$0.0077/min', apiKey: '${env:KEY}' };

describe('where two policies differ', () => {
  it.each<[what: string, before: unknown, after: unknown, changes: object[]]>([
    ['nowhere', { spec: { backends: [own] } }, { spec: { backends: [{ ...own }] } }, []],
    [
      'in a price',
      { backends: [own, vendor] },
      { backends: [own, { ...vendor, price: '$0.01/min' }] },
      [{ path: 'backends.vendor.price', from: '$0.0077/min', to: '$0.01/min' }],
    ],
    [
      'in an entry that is put before the others, and nowhere else',
      { rules: [{ name: 'all', to: { own: '100%' } }] },
      {
        rules: [
          { name: 'es', to: { vendor: '100%' } },
          { name: 'all', to: { own: '100%' } },
        ],
      },
      [
        { path: 'rules.es.name', to: 'es' },
        { path: 'rules.es.to.vendor', to: '100%' },
        { path: 'rules.order', from: ['all'], to: ['es', 'all'] },
      ],
    ],
    ['in what was not there', {}, { shadow: { to: 'own' } }, [{ path: 'shadow.to', to: 'own' }]],
    ['in what is gone', { shadow: { to: 'own' } }, {}, [{ path: 'shadow.to', from: 'own' }]],
    [
      'in a reference to a secret',
      { backends: [vendor] },
      { backends: [{ ...vendor, apiKey: '${env:OTHER}' }] },
      [{ path: 'backends.vendor.apiKey', from: '${env:KEY}', to: '${env:OTHER}' }],
    ],
    [
      'in a secret itself, which nobody is told',
      { backends: [{ ...vendor, apiKey: 'sk-1' }] },
      { backends: [{ ...vendor, apiKey: 'sk-2' }] },
      [{ path: 'backends.vendor.apiKey', from: '***', to: '***' }],
    ],
    [
      'in secrets below a key that holds some',
      { b: { headers: { 'x-org': 'sk-1' } } },
      { b: { headers: { 'x-org': 'sk-2' } } },
      [{ path: 'b.headers.x-org', from: '***', to: '***' }],
    ],
    [
      'in a URL with a password',
      { url: 'wss://me:secret@host/' },
      { url: 'wss://me:secret@other/' },
      [{ path: 'url', from: 'wss://***@host/', to: 'wss://***@other/' }],
    ],
  ])('%s', (_, before, after, changes) => {
    expect(policyDiff(before, after)).toEqual(changes);
  });

  it('tells no secret, whatever the documents are', () => {
    const key = fc.constantFrom('apiKey', 'token', 'password', 'secret', 'authorization', 'headers');
    const holder = (secret: string) => fc.dictionary(key, fc.oneof(fc.constant(secret), fc.constant([secret])));
    fc.assert(
      fc.property(holder('hunter2'), holder('hunter3'), (before, after) => {
        expect(JSON.stringify(policyDiff({ a: before }, { a: [after] }))).not.toMatch(/hunter/);
        expect(JSON.stringify(policyDiff({ a: before }, { a: after }))).not.toMatch(/hunter/);
      }),
    );
  });

  it('is empty for equal documents alone', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(policyDiff({ a }, { a: structuredClone(a) })).toEqual([]);
        if (JSON.stringify(a) !== JSON.stringify(b)) expect(policyDiff({ x: [a, 0] }, { x: [b, 0] })).not.toEqual([]);
      }),
      { examples: [[{}, []]] },
    );
  });
});

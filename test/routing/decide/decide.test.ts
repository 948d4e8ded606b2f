import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/config/documents.ts';
import { decideRoute, type Hindrance } from '../../../src/routing/decide/decide.ts';
import { canaryDrawOf, drawOf, isShadowed } from '../../../src/routing/decide/draws.ts';
import { parseQuestion } from '../../../src/routing/decide/request.ts';
import { routingPolicy } from '../../../src/routing/policy/policy.ts';

const file = 'routing/default.yaml';
const { spec } = parseDocuments(file, readFileSync(file, 'utf8'), 'RoutingPolicy', routingPolicy)[0]!.value;
const names = spec.backends.map(({ name }) => name);

function ask(question: string) {
  const { request, draw = 0, hindered } = parseQuestion(question, names);
  return decideRoute(spec, { ...request, draw }, ({ name }) => hindered.get(name));
}

describe('the policy that ships', () => {
  it.each<[question: string, rule: string, backend: string | undefined]>([
    ['', 'steady state', 'own'],
    ['load=84%', 'steady state', 'own'],
    ['load=0.85', 'spike', 'own'],
    ['load=0.85 draw=0.499', 'spike', 'own'],
    ['load=0.85 draw=0.5', 'spike', 'deepgram'],
    ['load=0.85 draw=0.99', 'spike', 'deepgram'],
    ['cold=true', 'cold start', 'deepgram'],
    ['cold=true load=0.99', 'cold start', 'deepgram'],
    ['language=en-GB', 'steady state', 'own'],
    ['language=es load=0.9', 'languages of others', 'deepgram'],
    ['language=es-MX', 'languages of others', 'deepgram'],
    ['language=sw', 'low-resource languages', 'openai'],
    ['language=zu', 'every other language', 'openai'],
    ['lane=batch language=sw cold=true', 'homework', 'batch'],
    ['own=full', 'steady state', 'deepgram'],
    ['own=full deepgram=broken', 'steady state', 'openai'],
    ['own=full deepgram=over-cost openai=broken', 'steady state', undefined],
    ['lane=batch batch=full', 'homework', undefined],
  ])('"%s" comes by "%s" to %s', (question, rule, backend) => {
    const decision = ask(question);
    expect([decision.rule.name, decision.backend?.name]).toEqual([rule, backend]);
  });

  it('says why each rule above did not fit, and whom it passed', () => {
    const { passedOver, hindered } = ask('load=0.5 own=full deepgram=over-cost');
    expect(passedOver.map(({ why }) => why)).toEqual([
      'lane live is not batch',
      'language en is not sw, yo, am, ta, ur, vi',
      'language en is not es, fr, de, pt, hi, ja',
      'no machine is starting',
      'load 50% is below 85%',
    ]);
    expect(hindered).toEqual([
      { backend: 'own', why: 'full' },
      { backend: 'deepgram', why: 'over its cost' },
    ]);
  });
});

it('shares are met by even draws, and one draw has one answer', () => {
  const to = { own: 0.7, deepgram: 0.25, openai: 0.05 };
  const shared = { ...spec, rules: [{ name: 'r', needs: [], to }] };
  const request = { language: 'en', lane: 'live', load: 0, spend: 0, cold: false } as const;
  const drawn = Array.from(
    { length: 1000 },
    (_, i) => decideRoute(shared, { ...request, draw: i / 1000 }, () => undefined).drawn,
  );
  const counts = Object.keys(to).map((name) => drawn.filter((one) => one === name).length);
  expect(counts).toEqual([700, 250, 50]);
});

it('nobody comes to a backend that cannot, whoever is hindered', () => {
  const hindrance = fc.option(fc.constantFrom<Hindrance>('full', 'broken', 'over its cost'), { nil: undefined });
  const languages = fc.constantFrom('en', 'es', 'sw', 'zu', 'EN-us');
  fc.assert(
    fc.property(
      fc.array(hindrance, { minLength: 4, maxLength: 4 }),
      languages,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (states, language, load) => {
        const request = { language, lane: 'live', load, spend: 0, cold: false, draw: load } as const;
        const { backend, hindered } = decideRoute(spec, request, ({ name }) => states[names.indexOf(name)]);
        if (backend) expect(states[names.indexOf(backend.name)]).toBeUndefined();
        for (const { backend: name, why } of hindered) expect(states[names.indexOf(name)]).toBe(why);
      },
    ),
    { seed: 7, numRuns: 300 },
  );
});

describe('a question that cannot be read is refused with its word', () => {
  it.each([
    ['langage=es', /"langage" is nothing that rules look at \(did you mean "language"\?\)/],
    ['load', /write KEY=VALUE/],
    ['load=', /write KEY=VALUE/],
    ['load=x', /is not a number from 0 to 100/],
    ['load=-1', /is not a number/],
    ['load=9 load=8', /load is said twice/],
    ['load=5%%', /unknown unit|not a percentage/],
    ['spend=$5', /has no unit/],
    ['draw=1', /is not a number from 0 to 1/],
    ['device=lo', /did you mean "low"/],
    ['own=half', /allowed: full, broken, over-cost/],
    ['language=e', /write a language as es or es-MX/],
    ['constructor=1', /nothing that rules look at/],
  ])('%s', (question, message) => {
    expect(() => parseQuestion(question, names)).toThrow(message);
  });
});

describe('a canary', () => {
  const request = { language: 'en', lane: 'live', load: 0, spend: 0, cold: false } as const;
  const source = readFileSync(file, 'utf8');
  const withCanary = parseDocuments(
    file,
    `${source}  canary: {name: next, from: own, to: deepgram, share: 5%, rollback: {mode: window}}\n  shadow: {to: deepgram, share: 10%, most: $1/h}\n`,
    'RoutingPolicy',
    routingPolicy,
  )[0]!.value.spec;
  const decide = (session: string, over: Partial<Parameters<typeof decideRoute>[1]> = {}) =>
    decideRoute(
      withCanary,
      { ...request, draw: drawOf('routing', session), canaryDraw: canaryDrawOf(withCanary, session), ...over },
      () => undefined,
    );

  it('takes its share of the sessions of its rule and of no other, always the same ones', () => {
    const sessions = Array.from({ length: 20_000 }, (_, i) => `session-${i}`);
    const taken = sessions.filter((session) => decide(session).variant === 'canary');
    // Binomial: 5 % of 20,000, within four standard deviations.
    expect(Math.abs(taken.length - 1000)).toBeLessThan(4 * Math.sqrt(20_000 * 0.05 * 0.95));
    for (const session of taken) expect(decide(session).backend!.name).toBe('deepgram');
    expect(sessions.every((session) => decide(session, { language: 'es' }).variant === undefined)).toBe(true);
    expect(decide(taken[0]!)).toEqual(decide(taken[0]!));
  });

  it('takes other sessions under another name, and none of those whom nobody drew', () => {
    const renamed = { canary: { ...withCanary.canary!, name: 'another' } };
    const sessions = Array.from({ length: 20_000 }, (_, i) => `session-${i}`);
    const both = sessions.filter(
      (session) => canaryDrawOf(withCanary, session)! < 0.05 && canaryDrawOf(renamed, session)! < 0.05,
    );
    expect(Math.abs(both.length - 50)).toBeLessThan(4 * Math.sqrt(50));
    expect(decide('any', { canaryDraw: undefined })).toMatchObject({ variant: undefined, drawn: 'own' });
  });

  it('falls back as its backend does', () => {
    const hindered = decideRoute(withCanary, { ...request, draw: 0, canaryDraw: 0 }, ({ name }) =>
      name === 'deepgram' ? 'broken' : undefined,
    );
    expect(hindered).toMatchObject({ variant: 'canary', drawn: 'own', backend: { name: 'openai' } });
  });

  it('is shadowed by its own draw, and only in a language that the shadow understands', () => {
    const sessions = Array.from({ length: 20_000 }, (_, i) => `session-${i}`);
    const heard = sessions.filter((session) => isShadowed(withCanary, session, 'en-GB')).length;
    expect(Math.abs(heard - 2000)).toBeLessThan(4 * Math.sqrt(20_000 * 0.1 * 0.9));
    expect(sessions.some((session) => isShadowed(withCanary, session, 'sw'))).toBe(false);
    expect(sessions.some((session) => isShadowed(spec, session, 'en'))).toBe(false);
  });
});

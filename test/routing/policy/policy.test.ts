import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/config/documents.ts';
import { SpeechfbError } from '../../../src/errors.ts';
import { isReachable } from '../../../src/routing/policy/box.ts';
import { routingJsonSchema, routingPolicy } from '../../../src/routing/policy/policy.ts';
import type { When } from '../../../src/routing/policy/spec.ts';

const backends = {
  own: '{name: own, kind: local, languages: [en], price: $0.0004/min, fallback: vendor}',
  vendor: '{name: vendor, kind: deepgram, languages: [en, es], price: $0.0077/min, fallback: any}',
  any: '{name: any, kind: openai-realtime, price: $0.006/min}',
};
const last = '{name: rest, to: {any: 100%}}';

function problemsOf(
  rules: readonly string[],
  own: Partial<typeof backends> = {},
  more: readonly string[] = [],
  variants = '',
): string[] {
  const list = (items: readonly string[]): string => items.map((item) => `    - ${item}`).join('\n');
  const all = [...Object.values({ ...backends, ...own }), ...more];
  const source = `kind: RoutingPolicy\nspec:\n  backends:\n${list(all)}\n  rules:\n${list(rules)}\n${variants}`;
  try {
    parseDocuments('p.yaml', source, 'RoutingPolicy', routingPolicy);
    return [];
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return error.problems.map(({ where, message }) => `${where}: ${message}`);
  }
}

it.each([
  ['default', 7, [undefined, undefined]],
  ['versions', 2, ['next', 'draft']],
])('the policy %s that ships is sound', (name, rules, [canary, shadow]) => {
  const file = `routing/${name}.yaml`;
  const [policy] = parseDocuments(file, readFileSync(file, 'utf8'), 'RoutingPolicy', routingPolicy);
  const { spec } = policy!.value;
  expect([spec.rules.length, spec.canary?.to, spec.shadow?.to]).toEqual([rules, canary, shadow]);
});

it('the published schema is that of the code', () => {
  expect(JSON.parse(readFileSync('schemas/routing.schema.json', 'utf8'))).toEqual(routingJsonSchema());
});

describe('what is wrong with a policy is said at its line', () => {
  it.each<[what: string, rules: string[], own: Partial<typeof backends>, found: RegExp[]]>([
    ['nothing', ['{name: en, when: {language: [en]}, to: {own: 100%}}', last], {}, []],
    [
      'shares beyond the whole',
      ['{name: r, to: {any: 95%, vendor: 10%}}'],
      {},
      [/8:21: .*to: shares add up to 105%, not 100%/, /vendor/],
    ],
    ['no backend at all', ['{name: r, to: {}}'], {}, [/to: names no backend/]],
    [
      'a backend that is not there',
      ['{name: r, to: {ayn: 100%}}'],
      {},
      [/"ayn" is no backend \(did you mean "any"\?\); there are own, vendor, any/],
    ],
    [
      'a rule below one that takes all',
      [last, '{name: en, when: {language: [en]}, to: {own: 100%}}'],
      {},
      [/9:7: .*"en" never decides: rule "rest" fits all that it fits/],
    ],
    [
      'a rule below two that take all together',
      [
        '{name: cold, when: {cold: true}, to: {any: 100%}}',
        '{name: warm, when: {cold: false}, to: {any: 100%}}',
        '{name: en, when: {language: [en]}, to: {own: 100%}}',
      ],
      {},
      [/"en" never decides: the rules above together fit all that it fits/],
    ],
    [
      'no rule for some',
      ['{name: idle, when: {load: "< 85%"}, to: {any: 100%}}', '{name: late, when: {load: ">= 90%"}, to: {any: 100%}}'],
      {},
      [/leaves sessions that no rule fits; end with a rule without when/],
    ],
    ['a load that is never so', ['{name: r, when: {load: "< 0%"}, to: {any: 100%}}', last], {}, [/load: is never so/]],
    [
      'an amount without a sign',
      ['{name: r, when: {load: "85%"}, to: {any: 100%}}', last],
      {},
      [/"85%" is no comparison; write >= or </],
    ],
    [
      'a price without a unit',
      [last],
      { any: '{name: any, kind: openai-realtime, price: $0.006}' },
      [/6:\d+: .*price "\$0.006" has no unit; allowed: \/min, \/h/],
    ],
    [
      'a limit that is a price',
      [last],
      { any: '{name: any, kind: http-batch, price: $1/h, most: 20}' },
      [/most: 20 is not money by the hour/],
    ],
    [
      'a loop',
      [last],
      { any: '{name: any, kind: openai-realtime, price: $0.006/min, fallback: own}' },
      [/4:\d+: .*fallback: leads back to itself: own -> vendor -> any -> own/],
    ],
    [
      'a fallback to itself',
      [last],
      { any: '{name: any, kind: http-batch, price: $1/h, fallback: any}' },
      [/leads back to itself: any -> any/],
    ],
    [
      'a need that a fallback cannot meet',
      ['{name: en, when: {language: [en]}, needs: [word-times], to: {own: 100%}}', last],
      {},
      [/"any", where "own" falls back to, is of kind openai-realtime, which has no word-times/],
    ],
    [
      'a language that nobody behind it understands',
      ['{name: es, when: {language: [es, sw]}, to: {vendor: 100%}}', last],
      {},
      [/"vendor" does not understand sw/],
    ],
    [
      'a rule for all to a backend of some',
      ['{name: r, to: {vendor: 100%}}'],
      {},
      [/"vendor" understands en, es alone, and the rule is for every language/],
    ],
    [
      'a rule that spills to nobody',
      ['{name: en, when: {language: [en]}, spill: without-phones, to: {own: 100%}}', last],
      { own: '{name: own, kind: local, languages: [en], price: $0.0004/min}' },
      [/8:\d+: .*spill: "own" falls back to nobody else, so that nobody hears its sessions/],
    ],
    [
      'a rule that spills what it needs',
      ['{name: r, needs: [phones], spill: without-phones, to: {played: 100%}}'],
      { any: '{name: any, kind: scripted, price: $0.006/min}\n    - {name: played, kind: scripted, price: $0/min}' },
      [/spill: its sessions need phones, and would go without them/],
    ],
    [
      'another way to spill',
      ['{name: r, spill: now, to: {any: 100%}}'],
      {},
      [/8:\d+: .*spill: .*"?now"?.*without-phones/],
    ],
    [
      'a region where a language is due',
      ['{name: r, when: {language: [es-MX]}, to: {any: 100%}}', last],
      {},
      [/"es-MX" is narrower than a rule can be; write es/],
    ],
    [
      'two rules of one name',
      ['{name: rest, when: {lane: [batch]}, to: {any: 100%}}', last],
      {},
      [/"rest" is the name of another rule/],
    ],
    [
      'a name of two words',
      [last],
      { any: '{name: any one, kind: http-batch, price: $1/h}' },
      [/"any one" is no name; write letters, digits/],
    ],
    [
      'an unknown kind',
      [last],
      { any: '{name: any, kind: whisper, price: $1/h}' },
      [/kind: "whisper" is not allowed; allowed: local/],
    ],
    [
      'a tenant who is a blank',
      ['{name: r, when: {tenant: [" "]}, to: {any: 100%}}', last],
      {},
      [/8:33: .*when.tenant.0: begins or ends with a blank/],
    ],
    [
      'a name that fills a page',
      [`{name: ${'r'.repeat(201)}, to: {any: 100%}}`],
      {},
      [/rules.0.name: is longer than 200 characters/],
    ],
    [
      'prices and limits beyond all measure',
      [last],
      { any: '{name: any, kind: http-batch, price: $1e308/min, most: $1e9/h}' },
      [/price: is more than \$1000\/min/, /most: is more than \$60000\/h/],
    ],
    [
      'a URL for what is reached by none',
      [last],
      { own: '{name: own, kind: local, languages: [en], price: $0.0004/min, url: "https://x/"}' },
      [/4:\d+: .*url: is for backends of kind deepgram, openai-realtime, http-batch; this is local/],
    ],
    [
      'a language that stands there twice',
      ['{name: r, when: {language: [es, sw, ES]}, to: {any: 100%}}', last],
      {},
      [/8:43: .*rules.0.when.language.2: "es" stands in the list twice/],
    ],
    [
      'tenants, devices, lanes and needs that stand there twice',
      [
        '{name: r, when: {tenant: [a, a], device: [low, low], lane: [live, live]}, needs: [streaming, streaming], to: {any: 100%}}',
        last,
      ],
      { any: '{name: any, kind: openai-realtime, languages: [es, es], price: $0.006/min}' },
      [
        /backends.2.languages.1: "es" stands/,
        /when.tenant.1: "a" stands/,
        /when.device.1: "low" stands/,
        /when.lane.1: "live" stands/,
        /needs.1: "streaming" stands/,
      ],
    ],
    [
      'a load that no machine has',
      ['{name: r, when: {load: ">= 300%"}, to: {any: 100%}}', last],
      {},
      [/8:30: .*load: ">= 300%" is never so: it is at most 100%/],
    ],
    [
      'a load that is always so',
      ['{name: r, when: {load: "< 101%"}, to: {any: 100%}}', '{name: q, when: {load: ">= 0%"}, to: {any: 100%}}', last],
      {},
      [/"< 101%" is always so: leave it out|">= 0%" is always so/, /always so/],
    ],
    [
      'a load below nothing',
      ['{name: r, when: {load: "< -5%"}, to: {any: 100%}}', last],
      {},
      [/percentage "-5%" is negative/],
    ],
    [
      'a spend that is always so',
      ['{name: r, when: {spend: ">= $0/h"}, to: {any: 100%}}', last],
      {},
      [/spend: ">= \$0\/h" is always so: leave it out/],
    ],
    [
      'a spend where nothing costs by the minute',
      ['{name: r, when: {spend: ">= $5/h"}, to: {any: 100%}}', last],
      {
        vendor: '{name: vendor, kind: local, languages: [en], price: $9/h}',
        any: '{name: any, kind: openai-realtime, price: $0/min}',
      },
      [/8:31: .*spend: is never so: no managed backend costs anything/],
    ],
    [
      'caps of nothing',
      [last],
      { any: '{name: any, kind: http-batch, price: $1/h, maxSessions: 0, most: $0/h}' },
      [/maxSessions: 0 is not a whole number from 1 to 10000000/, /most: is nothing: nobody would ever be heard/],
    ],
    [
      'caps below nothing',
      [last],
      { any: '{name: any, kind: http-batch, price: $1/h, maxSessions: -5, most: $-5/h}' },
      [/maxSessions: -5 is not a whole number from 1/, /most: .*"\$-5\/h" is negative/],
    ],
    ['shares of nothing', ['{name: r, to: {any: 0%, vendor: 0%}}'], {}, [/8:21: .*to: shares add up to 0%, not 100%/]],
    [
      'money of other countries, and of none',
      ['{name: r, when: {spend: ">= 5/h"}, to: {any: 100%}}', last],
      {
        vendor: '{name: vendor, kind: deepgram, languages: [en, es], price: €0.0077/min, fallback: any}',
        any: '{name: any, kind: openai-realtime, price: 0.006/min, most: 20 USD/h}',
      },
      [
        /5:\d+: .*price: "€0.0077\/min" is not in dollars; write it as \$0.0077\/min/,
        /6:\d+: .*price: "0.006\/min" is not in dollars/,
        /6:\d+: .*most: "20 USD\/h" is not in dollars/,
        /8:\d+: .*spend: "5\/h" is not in dollars/,
      ],
    ],
    [
      'the own model under two names',
      ['{name: en, when: {language: [en]}, to: {own: 50%, v2: 50%}}', last],
      {
        any: '{name: any, kind: http-batch, price: $1/h}\n    - {name: v2, kind: local, languages: [en], price: $1/h, fallback: vendor}',
      },
      [/7:\d+: .*backends.3.kind: "v2" is the own model \(serve --model\), as "own" is, .*nothing differs/],
    ],
    [
      'one version of the model under two names',
      ['{name: en, when: {language: [en]}, to: {own: 50%, v2: 50%}}', last],
      {
        any: '{name: any, kind: http-batch, price: $1/h}\n    - {name: v2, kind: local, model: v2, languages: [en], price: $1/h}\n    - {name: v3, kind: local, model: v2, languages: [en], price: $2/h}',
      },
      [/8:\d+: .*backends.4.kind: "v3" is the model "v2", as "v2" is, .*nothing differs/],
    ],
    [
      'a directory for the own model',
      [last],
      { own: '{name: own, kind: local, languages: [en], price: $1/h, directory: models/v2}' },
      [/4:\d+: .*directory: is for backends of kind sherpa-onnx; this is local; write model: with its folder/],
    ],
    ['an unknown condition', ['{name: r, when: {lang: [en]}, to: {any: 100%}}', last], {}, [/unknown key "lang"/]],
  ])('%s', (_, rules, own, found) => {
    const problems = problemsOf(rules, own);
    expect(problems).toEqual(found.map((pattern) => expect.stringMatching(pattern)));
  });

  it('all of a file come at once', () => {
    const rules = ['{name: r, when: {load: "< 0%"}, to: {any: 95%}}', '{name: q, to: {nobody: 100%}}'];
    expect(problemsOf(rules, {}, ['{name: x, kind: http-batch, price: $1/h, fallback: y}'])).toHaveLength(4);
  });
});

describe('a rule is reachable when some session comes to it', () => {
  const words = (values: readonly string[]) =>
    fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), { nil: undefined });
  const range = fc.option(
    fc
      .tuple(fc.boolean(), fc.integer({ min: 1, max: 3 }))
      .map(([above, at]) => (above ? { from: at, below: Number.POSITIVE_INFINITY } : { from: 0, below: at })),
    { nil: undefined },
  );
  const condition: fc.Arbitrary<When> = fc.record({
    language: words(['en', 'es', 'sw']),
    tenant: words(['a', 'b']),
    device: fc.option(
      fc.uniqueArray(fc.constantFrom('low' as const, 'mid' as const, 'high' as const), { minLength: 1 }),
      { nil: undefined },
    ),
    lane: fc.option(fc.uniqueArray(fc.constantFrom('live' as const, 'batch' as const), { minLength: 1 }), {
      nil: undefined,
    }),
    load: range,
    spend: range,
    cold: fc.option(fc.boolean(), { nil: undefined }),
  });
  /** One of each kind that conditions can tell apart. */
  const everybody = ['en', 'es', 'sw', 'other'].flatMap((language) =>
    ['a', 'b', 'other'].flatMap((tenant) =>
      ['low', 'mid', 'high'].flatMap((device) =>
        ['live', 'batch'].flatMap((lane) =>
          [0, 1, 2, 3].flatMap((load) =>
            [0, 1, 2, 3].flatMap((spend) =>
              [true, false].map((cold) => ({ language, tenant, device, lane, load, spend, cold })),
            ),
          ),
        ),
      ),
    ),
  );
  type One = (typeof everybody)[number];
  const fits = (when: When, one: One): boolean =>
    (['language', 'tenant', 'device', 'lane'] as const).every(
      (matter) => (when[matter] as string[] | undefined)?.includes(one[matter]) ?? true,
    ) &&
    (['load', 'spend'] as const).every((matter) => {
      const { from = 0, below = 9 } = when[matter] ?? {};
      return one[matter] >= from && one[matter] < below;
    }) &&
    (when.cold ?? one.cold) === one.cold;

  it('as counting all sessions says, for any rules', () => {
    fc.assert(
      fc.property(condition, fc.array(condition, { maxLength: 6 }), (when, earlier) => {
        const counted = everybody.some((one) => fits(when, one) && !earlier.some((other) => fits(other, one)));
        expect(isReachable(when, earlier)).toBe(counted);
      }),
      { seed: 20261130, numRuns: 300 },
    );
  });
});

describe('what is wrong with a canary or a shadow is said at its line', () => {
  const own = '{name: r, when: {language: [en]}, to: {own: 100%}}';
  const canary = (more: string) =>
    `  canary: {name: c, from: own, to: vendor, share: 5%, rollback: {mode: window}${more}}\n`;
  it.each<[what: string, variants: string, found: RegExp[]]>([
    ['nothing', canary(''), []],
    [
      'nothing, with all there is',
      `${canary(', minimum: 50, bad: {finalAfter: 1s, werAbove: 30%}')}  shadow: {to: any, share: 1%, most: $2/h}\n`,
      [],
    ],
    [
      'a reading that is not said',
      '  canary: {name: c, from: own, to: vendor, share: 5%, rollback: {burn: 2}}\n',
      [/10:\d+: .*mode: is missing: "burn above 2 for 10m" reads two ways/],
    ],
    [
      'a canary beside itself',
      '  canary: {name: c, from: own, to: own, share: 5%, rollback: {mode: window}}\n',
      [/10:36: spec.canary.to: is "own", as from is/],
    ],
    [
      'a canary of a backend that is not there',
      '  canary: {name: c, from: owm, to: vendor, share: 5%, rollback: {mode: window}}\n',
      [/"owm" is no backend \(did you mean "own"\?\)/],
    ],
    [
      'a canary that would have nobody',
      '  canary: {name: c, from: vendor, to: own, share: 5%, rollback: {mode: window}}\n',
      [/no rule gives sessions to "vendor": the canary would have none/],
    ],
    [
      'a canary that cannot do what its sessions need',
      '  canary: {name: c, from: any, to: own, share: 5%, rollback: {mode: window}}\n',
      [
        /spec.canary.to: "own" understands en alone, and the rule is for every language \(rule "rest"\)/,
        /"vendor", where/,
      ],
    ],
    ['a share of all', canary('').replace('5%', '100%'), [/share: 100% is outside 0.1% to 99.9%/]],
    ['a burn that never is', canary(', target: 50%'), [/rollback.burn: can never be exceeded: at a target of 50 %/]],
    [
      'intervals that do not fill the window',
      canary('').replace('mode', 'for: 90s, every: 1m, mode'),
      [/rollback.for: is not a whole number of intervals/],
    ],
    [
      'more intervals than anybody looks at',
      canary('').replace('mode', 'for: 2h, every: 1s, mode'),
      [/rollback.for: has more than 1440 intervals/],
    ],
    [
      'a shadow that may cost nothing',
      '  shadow: {to: any, share: 1%, most: $0/h}\n',
      [/10:38: spec.shadow.most: is nothing: nobody would ever be heard/],
    ],
    ['a shadow without a limit of its cost', '  shadow: {to: any, share: 1%}\n', [/shadow.most: is missing/]],
    [
      'a part of a shadow for each tenant',
      '  shadow: {to: any, share: 1%, most: $2/h, perTenant: {most: $1/h, maxSessions: 5}}\n',
      [],
    ],
    [
      'a part that bounds nothing',
      '  shadow: {to: any, share: 1%, most: $2/h, perTenant: {}}\n',
      [/10:55: spec.shadow.perTenant: bounds nothing; write most, maxSessions or both/],
    ],
    [
      'parts that are more than the whole',
      '  shadow: {to: any, share: 1%, most: $2/h, perTenant: {most: $3/h, maxSessions: 21}}\n',
      [
        /10:62: spec.shadow.perTenant.most: is more than the whole shadow may cost/,
        /10:81: spec.shadow.perTenant.maxSessions: is more than the whole shadow hears at once, 20/,
      ],
    ],
    [
      'a part without a unit',
      '  shadow: {to: any, share: 1%, most: $2/h, perTenant: {most: $1}}\n',
      [/10:62: spec.shadow.perTenant.most: .*"\$1" has no unit/],
    ],
    [
      'a shadow that is not there',
      '  shadow: {to: ani, share: 1%, most: $1/h}\n',
      [/shadow.to: "ani" is no backend \(did you mean "any"\?\)/],
    ],
  ])('%s', (_, variants, found) => {
    const problems = problemsOf([own, last], {}, [], variants);
    expect(problems).toEqual(found.map((pattern) => expect.stringMatching(pattern)));
  });

  it('a canary of the same thing under another name', () => {
    const canary = '  canary: {name: c, from: any, to: again, share: 5%, rollback: {mode: window}}\n';
    const again = '{name: again, kind: openai-realtime, price: $0.001/min}';
    expect(problemsOf([own, last], {}, [again], canary)).toEqual([
      expect.stringMatching(/11:36: spec.canary.to: "again" is reached and asked just as "any": nothing differs/),
    ]);
  });

  it('a canary of the own model under another name', () => {
    const canary = '  canary: {name: c, from: own, to: v2, share: 5%, rollback: {mode: window}}\n';
    const again = '{name: v2, kind: local, languages: [en], price: $1/h, maxSessions: 5}';
    expect(problemsOf([own, last], {}, [again], canary)).toEqual([
      expect.stringMatching(/11:\d+: spec.canary.to: "v2" is reached and asked just as "own": nothing differs/),
    ]);
  });

  const v2 = '{name: v2, kind: local, model: v2, languages: [en], price: $1/h}';

  it.each([
    ['by another version of the model than the one that scores', [v2], 'v2', own, []],
    ['by the own model beside another version', [v2], 'own', '{name: r, when: {language: [en]}, to: {v2: 100%}}', []],
    ['by the own model, which scores every session', [], 'own', own, [/"own" is the own model, which hears every/]],
  ])('of shadows one %s', (_, more, to, rule, found) => {
    const shadow = `  shadow: {to: ${to}, share: 1%, most: $1/h}\n`;
    const problems = problemsOf([rule, last], {}, more, shadow);
    if (found.length === 0) expect(problems).toEqual([]);
    else expect(problems.join('\n')).toMatch(found[0]!);
  });

  it('but not a canary of another version of the model', () => {
    const canary = '  canary: {name: c, from: own, to: v2, share: 5%, rollback: {mode: window}}\n';
    expect(problemsOf([own, last], {}, [v2], canary)).toEqual([]);
  });

  it('a shadow of the only backend that anybody comes to, which would hear it beside nobody', () => {
    const shadow = '  shadow: {to: any, share: 1%, most: $1/h}\n';
    expect(problemsOf([last], {}, [], shadow)).toEqual([
      expect.stringMatching(/9:16: spec.shadow.to: every rule gives its sessions to "any": there is nobody/),
    ]);
    expect(problemsOf([own, last], {}, [], shadow)).toEqual([]);
  });
});

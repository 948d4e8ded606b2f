import { describe, expect, it } from 'vitest';
import {
  matchersFault,
  matchersOf,
  overWindow,
  selectorOf,
  seriesFault,
} from '../../../src/slo/service-level/series.ts';

describe('the counter of a text', () => {
  it.each([
    ['requests_total', 'requests_total', undefined],
    [' job:requests:total { code = "500", } ', 'job:requests:total', 'code = "500",'],
    ['sum(requests{code=~"2xx|3xx",host="*"})', 'requests', 'code=~"2xx|3xx",host="*"'],
    ['sum by (job, code) (requests{path="/a)b}"})', 'requests', 'path="/a)b}"'],
    ['sum(requests) without (pod)', 'requests', undefined],
    ['((requests[5m]))', 'requests', undefined],
    ['sum(\n  requests\n)', 'requests', undefined],
    ["requests{a='it\\'s'}", 'requests', "a='it\\'s'"],
  ])('%s', (text, name, matchers) => expect(selectorOf(text)).toEqual({ name, matchers }));

  it.each([
    'a{b="c"} / d{e="f"}',
    'sum(rate(requests[5m]))',
    'sum(a) + sum(b)',
    'requests{code=500}',
    'requests[5m:1m]',
    'requests offset 5m',
    '',
  ])('is not found in %s', (text) => expect(selectorOf(text)).toBeUndefined());
});

describe('PromQL', () => {
  it.each([
    ['sum(rate(x[5m]))'],
    ['sum(rate(x[$window])) - sum(rate(y{z="[1h]"}[$window]))'],
    ['sum(increase(x[1h30m]))'],
    ['sum(x)'],
    ['rate(x[5m]) / rate(y[ $window ])'],
    ['rate(x[ 5m ]) + rate(x[5m])'],
    ['sum_over_time(x{a="[(\'"}[1d]) - y[1d]'],
  ])('%s is one rate over every window', (text) => expect(seriesFault(text)).toBeUndefined());

  it.each([
    ['sum(', /bracket that is not closed/],
    ['sum(rate(foo[5m])', /bracket that is not closed/],
    ['rate(x[5m)]', /bracket that is not closed, or closed twice/],
    ['sum(rate(x{a="b[5m]))', /quoted text that does not end/],
    [
      'sum(a) + sum(b)',
      /no range, so it is no rate over a window; write the counter alone, such as requests_total\{code="500"\}, or take its rate over \[\$window\]$/,
    ],
    ['up offset 5m', /no range/],
    ['rate(x[5m]) / rate(y[1h])', /the ranges \[5m\] and \[1h\]; write \[\$window\]/],
    ['max_over_time(x[5m:1m])', /the range \[5m:1m\]; write \[\$window\]/],
  ])('%s is refused', (text, message) => expect(seriesFault(text)).toMatch(message));

  it('follows the window outside of quoted texts only', () =>
    expect(overWindow('sum(rate(x{a="[5m]"}[5m])) + y[$window]', '1h')).toBe('sum(rate(x{a="[5m]"}[1h])) + y[1h]'));
});

describe('label matchers', () => {
  it.each([
    ['requests', []],
    ['requests{}', []],
    ['requests{a="b"}', ['a="b"']],
    ['requests{a="b,c=\\"d\\"}",  e !~ `f`}', ['a="b,c=\\"d\\"}"', 'e !~ `f`']],
  ])('of %s are parted where no quoted value is', (selector, matchers) =>
    expect(matchersOf(selector)).toEqual(matchers),
  );
  it.each(['', 'a="b"', 'a="b",', ' a = "b" , c!~`x"y` ', "a!='}'"])('%s are some', (text) =>
    expect(matchersFault(text)).toBeUndefined(),
  );
  it.each(['a', 'a=b', 'a="b" c="d"', 'a="b"}', ',', '1a="b"', 'a=="b"'])('%s are none', (text) =>
    expect(matchersFault(text)).toMatch(/is not label matchers/),
  );
});

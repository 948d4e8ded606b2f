import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTraceparent } from '../../../src/telemetry/tracing/traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it.each([
    ['that is sampled', `00-${traceId}-${spanId}-01`, true],
    ['that is not', `00-${traceId}-${spanId}-00`, false],
    ['with flags of a later specification', `00-${traceId}-${spanId}-03`, true],
    ['of a later version', `cc-${traceId}-${spanId}-01`, true],
    ['of a later version that has more', `cc-${traceId}-${spanId}-01-what-the-future-brings`, true],
  ])('%s is read', (_, text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId, spanId, isSampled });
  });

  it.each([
    ['nothing', ''],
    ['a word', 'yes'],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace that is short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a span that is long', `00-${traceId}-${spanId}0-01`],
    ['flags of one digit', `00-${traceId}-${spanId}-1`],
    ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
    ['something behind a later version without a dash', `01-${traceId}-${spanId}-01more`],
    ['space before it', ` 00-${traceId}-${spanId}-01`],
    ['a line behind it', `00-${traceId}-${spanId}-01\n`],
    ['two of them', `00-${traceId}-${spanId}-01,00-${traceId}-${spanId}-01`],
  ])('of %s is passed over', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('is never read out of arbitrary text, and never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
  });
});

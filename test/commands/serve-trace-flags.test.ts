import { describe, expect, it } from 'vitest';
import { parseTraceShare, tracingSettingsOf } from '../../src/commands/serve/flags/tracing-flags.ts';

const collector = 'http://collector:4318';

describe('where traces go', () => {
  it.each([
    ['nowhere', {}, {}, undefined],
    ['where --otlp says', { otlp: collector }, {}, `${collector}/v1/traces`],
    ['where --otlp says, with a path', { otlp: `${collector}/otlp/v1/traces` }, {}, `${collector}/otlp/v1/traces`],
    ['where the environment says', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: collector }, `${collector}/v1/traces`],
    [
      'below a path of the environment',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector}/otlp/` },
      `${collector}/otlp/v1/traces`,
    ],
    [
      'where the environment says of traces',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/in' },
      'http://traces:4318/in',
    ],
    [
      'where --otlp says whatever the environment does',
      { otlp: collector },
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other' },
      `${collector}/v1/traces`,
    ],
    [
      'nowhere, as the environment wants no SDK',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED: 'True' },
      undefined,
    ],
    [
      'nowhere, as it wants no traces',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_EXPORTER: 'none' },
      undefined,
    ],
    ['nowhere, as it says nothing', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, undefined],
  ])('is %s', (_, flags, env, url) => {
    expect(tracingSettingsOf(flags, env)?.url).toBe(url);
  });

  it('keeps a hundredth and what took half a second, unless it is told', () => {
    expect(tracingSettingsOf({ otlp: collector }, {})).toMatchObject({ share: 0.01, slowMs: 500 });
    const told = { otlp: collector, traceShare: 0, traceSlow: 200 };
    expect(tracingSettingsOf(told, {})).toMatchObject({ share: 0, slowMs: 200 });
  });

  it.each([
    ['a WebSocket', { otlp: 'ws://collector' }, {}, /--otlp.*is not an HTTP URL/],
    ['no URL', { otlp: 'collector:4318' }, {}, /--otlp/],
    ['a query', { otlp: `${collector}/?a=b` }, {}, /more than host, port and path/],
    ['a share without a receiver', { traceShare: 0.5 }, {}, /--trace-share is for traces/],
    ['a bound without a receiver', { traceSlow: 100 }, {}, /--trace-slow is for traces/],
    [
      'gRPC of the environment',
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /"grpc"; allowed: http\/protobuf/,
    ],
    ['no URL of the environment', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, /OTEL_EXPORTER_OTLP_ENDPOINT/],
  ])('refuses %s', (_, flags, env, message) => {
    expect(() => tracingSettingsOf(flags, env)).toThrow(message);
  });

  it('shows no secret of its URL', () => {
    expect(() => tracingSettingsOf({ otlp: 'http://me:hush-hush@collector/?a=b' }, {})).toThrow(/^(?!.*hush)/s);
  });
});

describe('a share', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['0.25', 0.25],
    ['1%', 0.01],
    ['100 %', 1],
    ['0%', 0],
  ])('may be "%s"', (text, share) => {
    expect(parseTraceShare(text)).toBe(share);
  });

  it.each(['', ' ', '2', '-0.1', '101%', 'all', 'NaN', 'Infinity', '1e', '%'])('may not be "%s"', (text) => {
    expect(() => parseTraceShare(text)).toThrow();
  });
});

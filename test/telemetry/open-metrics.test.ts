import { describe, expect, it } from 'vitest';
import { metricsFormatOf, toOpenMetrics } from '../../src/telemetry/open-metrics.ts';

describe('the format of /metrics', () => {
  it.each([
    ['nobody asks', undefined, 'prometheus'],
    ['everything is taken', '*/*', 'prometheus'],
    ['text is wanted', 'text/plain', 'prometheus'],
    ['a browser asks', 'text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
    ['both are equally good', 'application/openmetrics-text, text/plain', 'prometheus'],
    [
      'a Prometheus asks',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'OpenMetrics is the second choice',
      'text/plain;version=0.0.4;q=0.8,application/openmetrics-text;q=0.3',
      'prometheus',
    ],
    ['OpenMetrics is refused', 'application/openmetrics-text;q=0', 'prometheus'],
    ['the weight is no number', 'application/openmetrics-text;q=much', 'prometheus'],
    ['capitals are used', 'Application/OpenMetrics-Text', 'openmetrics'],
  ])('is chosen when %s', (_, accept, expected) => {
    expect(metricsFormatOf(accept)).toBe(expected);
  });

  it('names counters as OpenMetrics wants, and leaves those of others as they are', async () => {
    const values = [{ labels: { kind: 'audio' }, value: 3 }];
    const counter = { name: 'speechfb_messages_total', help: 'Messages.', type: 'counter', aggregator: 'sum', values };
    const { body, contentType } = await toOpenMetrics([counter as never]);
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(body.split('\n')).toEqual([
      '# HELP speechfb_messages Messages.',
      '# TYPE speechfb_messages counter',
      'speechfb_messages_total{kind="audio"} 3',
      '# EOF',
      '',
    ]);
    expect(counter.name).toBe('speechfb_messages_total');
  });
});

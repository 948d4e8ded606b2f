import { describe, expect, it } from 'vitest';
import {
  externalMetricResources,
  externalMetricsPath,
  externalMetricValues,
  metricAt,
} from '../../src/admin/external-metrics.ts';
import type { GatewayStatus, TargetStatus } from '../../src/admin/target.ts';

const idle: TargetStatus = {
  notReady: undefined,
  model: undefined,
  sessions: { streaming: 0, detached: 0, ending: 0 },
  sessionLimit: 400,
  queueDelayMs: 0,
  audioRate: 0,
  slots: undefined,
  nodes: [],
  gateways: [],
};
const gateway = (isUp: boolean): GatewayStatus => ({
  gateway: 1,
  isUp,
  notReady: undefined,
  sockets: 0,
  sessions: 0,
  sessionLimit: 100,
  level: 0,
});
const slots = (all: number, free: number) => ({ slots: all, free, refused: 0, trunks: 1 });

type Value = { items: { metricName: string; value: string; timestamp: string; metricLabels: object }[] };

function ask(name: string, status: Partial<TargetStatus>, selector = ''): Value {
  const metric = metricAt(`${externalMetricsPath}/namespaces/speech/${name}`)!;
  return externalMetricValues(metric, { ...idle, ...status }, { role: 'gateway', selector, nowMs: 0 }) as Value;
}

describe('an external metric', () => {
  it.each<[string, string, Partial<TargetStatus>, string]>([
    ['slots of nodes', 'speechfb_slots', { slots: slots(1200, 300) }, '1200000m'],
    ['slots of nodes that are used', 'speechfb_slots_used', { slots: slots(1200, 300) }, '900000m'],
    ['the share of them', 'speechfb_slots_used_ratio', { slots: slots(1200, 300) }, '750m'],
    [
      'the share of one that scores by itself',
      'speechfb_slots_used_ratio',
      { sessions: { streaming: 90, detached: 8, ending: 2 } },
      '250m',
    ],
    ['nothing used', 'speechfb_slots_used_ratio', { slots: slots(120, 120) }, '0m'],
    ['a third', 'speechfb_slots_used_ratio', { slots: slots(3, 2) }, '333m'],
    ['the delay', 'speechfb_queue_delay_seconds', { queueDelayMs: 41.4 }, '41m'],
    ['the sound', 'speechfb_audio_seconds_per_second', { audioRate: 12.3456 }, '12346m'],
    [
      'several gateways',
      'speechfb_slots_used_ratio',
      { sessions: { streaming: 100, detached: 0, ending: 0 }, gateways: [gateway(true)] },
      '250m',
    ],
  ])('is a quantity: %s', (_, name, status, value) => {
    expect(ask(name, status)).toEqual({
      kind: 'ExternalMetricValueList',
      apiVersion: 'external.metrics.k8s.io/v1beta1',
      metadata: {},
      items: [{ metricName: name, metricLabels: { role: 'gateway' }, timestamp: '1970-01-01T00:00:00.000Z', value }],
    });
  });

  it.each<[string, string, Partial<TargetStatus>]>([
    ['no node is there', 'speechfb_slots_used_ratio', { slots: slots(0, 0) }],
    ['no node is there, of slots', 'speechfb_slots', { slots: slots(0, 0) }],
    ['there is no limit', 'speechfb_slots_used_ratio', { sessionLimit: Number.POSITIVE_INFINITY }],
    ['the limit is not known', 'speechfb_slots_used', { sessionLimit: undefined as never }],
    ['a gateway does not answer', 'speechfb_slots_used', { gateways: [gateway(true), gateway(false)] }],
    ['a gateway does not answer, of sound', 'speechfb_audio_seconds_per_second', { gateways: [gateway(false)] }],
    ['too little sound was to tell', 'speechfb_audio_seconds_per_second', { audioRate: undefined }],
    ['nothing is known of a delay', 'speechfb_queue_delay_seconds', { queueDelayMs: undefined }],
  ])('is empty and never zero when %s: an autoscaler holds then', (_, name, status) => {
    expect(ask(name, status).items).toEqual([]);
  });

  it.each([
    ['', true],
    ['role=gateway', true],
    ['role==gateway', true],
    ['role=inference', false],
    ['role!=inference', true],
    ['role!=gateway', false],
    ['role in (all, gateway)', true],
    ['role in (all)', false],
    ['role notin (all)', true],
    ['role notin (gateway)', false],
    ['role', true],
    ['!role', false],
    ['app', true],
    ['!app', true],
    ['app.kubernetes.io/instance=north', true],
    ['app!=speechfb', true],
    ['role=gateway,app=speechfb', true],
    ['role=inference,app=speechfb', false],
    ['role in (all,gateway),!app', true],
    ['role=(', false],
    ['=', false],
  ])('with the selector "%s" is there: %s', (selector, isThere) => {
    expect(ask('speechfb_slots', { slots: slots(3, 2) }, selector).items).toHaveLength(isThere ? 1 : 0);
  });

  it.each([
    ['one that is not there', '/namespaces/speech/cpu'],
    ['one of the cluster', '/speechfb_slots'],
    ['one below another', '/namespaces/speech/speechfb_slots/x'],
    ['a name of JavaScript', '/namespaces/speech/__proto__'],
    ['nothing', ''],
  ])('is none at the path of %s', (_, path) => {
    expect(metricAt(`${externalMetricsPath}${path}`)).toBeUndefined();
  });

  it('is told of by discovery, each of them', () => {
    const { resources } = externalMetricResources() as { resources: { name: string }[] };
    expect(resources.map(({ name }) => name)).toHaveLength(5);
    for (const { name } of resources) expect(metricAt(`${externalMetricsPath}/namespaces/any/${name}`)).toBe(name);
  });
});

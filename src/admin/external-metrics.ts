import type { TargetStatus } from './target.ts';

/** Where Kubernetes asks for metrics that are none of its own. */
export const externalMetricsPath = '/apis/external.metrics.k8s.io/v1beta1';

/** How busy a server is; undefined: it cannot tell now, and nobody may take that for nothing. */
type ScalingFigures = Readonly<Record<ScalingMetric, number | undefined>>;

const scalingMetrics = [
  'speechfb_slots',
  'speechfb_slots_used',
  'speechfb_slots_used_ratio',
  'speechfb_queue_delay_seconds',
  'speechfb_audio_seconds_per_second',
] as const;
type ScalingMetric = (typeof scalingMetrics)[number];

/** The metric of a path below `externalMetricsPath`; undefined: there is none. */
export function metricAt(path: string): ScalingMetric | undefined {
  const [, name] = /^\/namespaces\/[^/]+\/([^/]+)$/.exec(path.slice(externalMetricsPath.length)) ?? [];
  return scalingMetrics.find((metric) => metric === name);
}

/** What there is, as Kubernetes discovers it (`APIResourceList`). */
export function externalMetricResources(): object {
  const resources = scalingMetrics.map((name) => ({
    name,
    singularName: '',
    namespaced: true,
    kind: 'ExternalMetricValueList',
    verbs: ['get'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'external.metrics.k8s.io/v1beta1', resources };
}

/**
 * The value of a metric as an `ExternalMetricValueList`. What the server cannot tell, and what the
 * selector does not mean, is an empty list: an autoscaler fails on that and changes nothing, while
 * a zero would have it scale in.
 *
 * @param selector as `labelSelector` has it, over the label `role`
 */
export function externalMetricValues(
  metric: ScalingMetric,
  status: TargetStatus,
  { role, selector, nowMs }: { role: string; selector: string; nowMs: number },
): object {
  const labels = { role };
  const value = isSelected(selector, labels) ? figuresOf(status)[metric] : undefined;
  const item = { metricName: metric, metricLabels: labels, timestamp: new Date(nowMs).toISOString() };
  return {
    kind: 'ExternalMetricValueList',
    apiVersion: 'external.metrics.k8s.io/v1beta1',
    metadata: {},
    items: value === undefined ? [] : [{ ...item, value: quantityOf(value) }],
  };
}

/** Where sessions are scored at nodes their slots count, which all gateways see alike. */
function figuresOf({ slots, sessions, sessionLimit, gateways, queueDelayMs, audioRate }: TargetStatus): ScalingFigures {
  // What a gateway has that does not answer would be missing.
  const isWhole = gateways.every(({ isUp }) => isUp);
  const open = sessions && sessions.streaming + sessions.detached + sessions.ending;
  const [all, used] = slots ? [slots.slots, slots.slots - slots.free] : [sessionLimit, open];
  const known = isWhole && all !== undefined && all > 0 && Number.isFinite(all);
  return {
    speechfb_slots: known ? all : undefined,
    speechfb_slots_used: known ? used : undefined,
    speechfb_slots_used_ratio: known && used !== undefined ? used / all : undefined,
    speechfb_queue_delay_seconds: isWhole && queueDelayMs !== undefined ? queueDelayMs / 1000 : undefined,
    speechfb_audio_seconds_per_second: isWhole ? audioRate : undefined,
  };
}

/** Kubernetes' quantities have no more than three digits behind the point. */
function quantityOf(value: number): string {
  return `${Math.round(value * 1000)}m`;
}

/**
 * Whether a selector means something with these labels: `a=b`, `a==b`, `a!=b`, `a in (b,c)`,
 * `a notin (b)`, `a`, `!a`, joined by commas. A label that the server does not have is passed over;
 * what cannot be read means nothing.
 */
function isSelected(selector: string, labels: Readonly<Record<string, string>>): boolean {
  const requirements = selector.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  return requirements.every((requirement) => {
    const [, negation, key = '', operator, single, set] =
      /^\s*(!?)\s*([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|((?:not)?in\s*\([^)]*\)))?\s*$/.exec(requirement) ?? [];
    if (key === '') return false;
    // One server answers for one service: of other things, as of a release, it knows nothing.
    if (!Object.hasOwn(labels, key)) return true;
    const value = labels[key];
    if (set !== undefined) {
      const [, word, list = ''] = /^(\w+)\s*\(([^)]*)\)$/.exec(set) ?? [];
      const isIn = value !== undefined && list.split(',').some((one) => one.trim() === value);
      return (word === 'in') === isIn;
    }
    if (operator === undefined) return (value === undefined) === (negation === '!');
    return (operator === '!=') === (value !== single);
  });
}

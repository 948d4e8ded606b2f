import { type Figure, type TreeMap, written } from '../document/figure.ts';
import type { GatewayFigures } from '../plan/pods.ts';
import type { BehaviorFigures, PolicyFigures, Pool, ScaleFigures } from '../plan/scale.ts';
import { usedRatio } from './external-metrics.ts';
import { metadata, type Names, nameOfPart, type Part } from './names.ts';

/** What is scaled: a Deployment, or a Rollout of the same name. */
export type Scaled = { names: Names; part: Part; kind: 'Deployment' | 'Rollout' };

/** Inference pods by the taken share of all slots. */
export function slotsAutoscaler(scaled: Scaled, { target, behavior }: ScaleFigures, pool: Pool): TreeMap {
  const metric = { name: usedRatio, selector: { matchLabels: { 'app.kubernetes.io/instance': scaled.names.release } } };
  return autoscaler(scaled, pool, {
    metrics: [{ type: 'External', external: { metric, target: { type: 'Value', value: target } } }],
    behavior: behaviorOf(behavior),
  });
}

/** Gateways by the processor: their one thread of sockets. */
export function gatewayAutoscaler(scaled: Scaled, gateway: GatewayFigures, { behavior }: ScaleFigures): TreeMap {
  const target = { type: 'Utilization', averageUtilization: gateway.targetCpu };
  return autoscaler(scaled, gateway, {
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    behavior: behaviorOf(behavior),
  });
}

function autoscaler(scaled: Scaled, { minReplicas, maxReplicas }: Pool, rest: TreeMap): TreeMap {
  const name = nameOfPart(scaled.names, scaled.part);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(scaled.names, name),
    spec: { scaleTargetRef: { ...apiOf(scaled.kind), name }, minReplicas, maxReplicas, ...rest },
  };
}

function behaviorOf({ up, upWindow, down, downWindow }: BehaviorFigures): TreeMap {
  const policy = ({ type, value, period }: PolicyFigures) => ({ type, value, periodSeconds: period });
  return {
    scaleUp: { stabilizationWindowSeconds: upWindow, selectPolicy: 'Max', policies: up.map(policy) },
    scaleDown: { stabilizationWindowSeconds: downWindow, selectPolicy: 'Max', policies: down.map(policy) },
  };
}

const keda = (name: string, value: Figure['value'], why: string): Figure => ({
  name: `keda.${name}`,
  value,
  why,
  from: ['docs/deploy.md'],
});
const pollingInterval = keda('pollingInterval', 15, 'seconds: as often as the controller looks');
const failureThreshold = keda('failureThreshold', 3, 'so many answers in a row must fail before the fallback holds');

/**
 * The same by KEDA, which makes an HPA itself. An empty answer of Prometheus is an error and not
 * zero, and while there are errors the fleet stays as large as it is.
 */
export function scaledObject(
  scaled: Scaled,
  { threshold, behavior }: ScaleFigures,
  { minReplicas, maxReplicas }: Pool,
  prometheus: Figure,
): TreeMap {
  const { names, part, kind } = scaled;
  const name = nameOfPart(names, part);
  const matchers = `namespace="${names.namespace}",pod=~"${nameOfPart(names, { role: 'inference' })}-.*"`;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: metadata(names, name),
    spec: {
      scaleTargetRef: { ...apiOf(kind), name },
      pollingInterval,
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      fallback: { failureThreshold, replicas: minReplicas, behavior: 'currentReplicasIfHigher' },
      advanced: { horizontalPodAutoscalerConfig: { behavior: behaviorOf(behavior) } },
      triggers: [
        {
          type: 'prometheus',
          metricType: 'AverageValue',
          metadata: {
            serverAddress: prometheus,
            query: `sum(speechfb_slots{${matchers}}) - sum(speechfb_slots_free{${matchers}})`,
            threshold: written`${threshold}`,
            ignoreNullValues: 'false',
          },
        },
      ],
    },
  };
}

function apiOf(kind: Scaled['kind']): TreeMap {
  return { apiVersion: kind === 'Rollout' ? 'argoproj.io/v1alpha1' : 'apps/v1', kind };
}

import type { Figure, Tree, TreeMap } from '../document/figure.ts';
import type { CanaryFigures, StepFigures } from '../plan/canary.ts';
import type { Pool, ScaleFigures } from '../plan/scale.ts';
import { gatewayAutoscaler, scaledObject, slotsAutoscaler } from './autoscaling.ts';
import { analysisTemplates, blueGreenStrategy, canaryStrategy, judgeConfig, judgeJob } from './canary.ts';
import { deletionCostRights } from './deletion-cost.ts';
import { externalMetrics } from './external-metrics.ts';
import { disruptionBudget, networkPolicies, priorityClass, serviceAccount } from './guard.ts';
import { podMonitor, prometheusRule } from './monitoring.ts';
import type { Part } from './names.ts';
import { podTemplate, type Setting } from './pod.ts';
import { edgeGateway, gatewayLabels, gatewayService, nodesService, streamRoute } from './traffic.ts';
import { deployment, rollout as rolloutOf } from './workloads.ts';

export type FilesOptions = {
  setting: Setting;
  scale: ScaleFigures;
  edge: { host: string; gatewayClass: string };
  prometheus: Figure;
  autoscaler: 'hpa' | 'keda';
  rollout: 'none' | 'job' | 'rollouts' | 'blue-green';
  canary: CanaryFigures | undefined;
  canaryText: string | undefined;
  rules: readonly { name: string; groups: Tree }[];
};

/**
 * A file of manifests. `step` is that of a canary by hand, whose files are applied one after the
 * other; undefined: it is applied whatever the step, 0: while there is none.
 */
export type ManifestFile = { name: string; documents: readonly TreeMap[]; step?: number };

/** Every manifest of one cluster, by the file that it stands in. */
export function manifestFiles(options: FilesOptions): ManifestFile[] {
  const { setting, scale, edge, rules, canary, rollout } = options;
  const { names, inference, gateway, admin, apiServer, store } = setting;
  const asked = canary && rollout !== 'none' ? 'stable' : 'all';
  const files = {
    guard: [
      priorityClass(names),
      serviceAccount(names, 'inference'),
      serviceAccount(names, 'gateway'),
      disruptionBudget(names, 'inference', inference),
      disruptionBudget(names, 'gateway', gateway),
      ...networkPolicies(names, { hasAdminPlane: admin !== undefined, apiServer, store }),
      ...(apiServer ? deletionCostRights(names) : []),
    ],
    inference: [nodesService(names), ...inferenceParts(scale).map(({ part }) => workload(options, part))],
    gateway: [gatewayService(names, asked), workload(options, { role: 'gateway' })],
    autoscaling: [
      ...autoscalers(options),
      ...(admin ? externalMetrics(names, admin, gatewayLabels(names, asked)) : []),
    ],
    edge: [edgeGateway(names, edge.gatewayClass, edge.host)],
    monitoring: [
      podMonitor(names, 'inference'),
      podMonitor(names, 'gateway'),
      ...rules.map(({ name, groups }) => prometheusRule(names, name, groups)),
    ],
  };
  const byRollouts = kindOf(options) === 'Rollout' && rollout !== 'blue-green';
  const weights = byRollouts ? { stable: all, canary: nobody } : undefined;
  return [
    ...Object.entries(files).map(([name, documents]) => ({ name: `${name}.yaml`, documents })),
    { name: 'route.yaml', documents: [streamRoute(names, edge.host, weights)], step: 0 },
    ...(canary ? canaryFiles(options, canary) : []),
  ];
}

function inferenceParts({ demand, spot }: ScaleFigures): { part: Part; pool: Pool }[] {
  const own = { part: { role: 'inference' }, pool: demand } as const;
  return spot ? [own, { part: { role: 'inference', variant: 'spot' }, pool: spot }] : [own];
}

function kindOf({ rollout }: FilesOptions): 'Deployment' | 'Rollout' {
  return rollout === 'rollouts' || rollout === 'blue-green' ? 'Rollout' : 'Deployment';
}

function workload(options: FilesOptions, part: Part): TreeMap {
  const { setting, canary, prometheus } = options;
  if (kindOf(options) === 'Deployment') return deployment(setting, part);
  const judged = { names: setting.names, canary: canary!, prometheus };
  const strategy =
    options.rollout === 'blue-green'
      ? blueGreenStrategy(judged, part.role, setting.gateway.grace)
      : canaryStrategy(judged, part.role);
  return rolloutOf(setting, part, strategy);
}

function autoscalers(options: FilesOptions): TreeMap[] {
  const { setting, scale, autoscaler, prometheus } = options;
  const scaled = (part: Part) => ({ names: setting.names, part, kind: kindOf(options) });
  const ofInference = inferenceParts(scale).map(({ part, pool }) =>
    autoscaler === 'keda'
      ? scaledObject(scaled(part), scale, pool, prometheus)
      : slotsAutoscaler(scaled(part), scale, pool),
  );
  return [...ofInference, gatewayAutoscaler(scaled({ role: 'gateway' }), setting.gateway, scale)];
}

/** What a canary needs beside the workloads: by Rollouts, or a file a step for those without. */
function canaryFiles(options: FilesOptions, canary: CanaryFigures): ManifestFile[] {
  const { setting, prometheus, rollout } = options;
  const judged = { names: setting.names, canary, prometheus };
  const service = gatewayService(setting.names, 'canary');
  if (rollout === 'none') return [];
  if (rollout !== 'job') return [{ name: 'canary.yaml', documents: [service, ...analysisTemplates(judged)], step: 0 }];
  return canary.steps.map((step, i) => ({
    name: `canary-${i + 1}.yaml`,
    documents: [service, ...stepDocuments(options, canary, step)],
    step: i + 1,
  }));
}

/** One step by hand: the new version's pods, the weights, and the Job that judges. */
function stepDocuments(options: FilesOptions, canary: CanaryFigures, step: StepFigures): TreeMap[] {
  const { setting, prometheus, edge, canaryText } = options;
  const { names, image } = setting;
  const fresh: Figure = {
    ...image,
    name: 'canaryImage',
    why: 'the new version: write its image here before you apply',
  };
  const pod = podTemplate(setting, { role: 'gateway' }).spec as TreeMap;
  const { serviceAccountName, automountServiceAccountToken, securityContext } = pod;
  return [
    streamRoute(names, edge.host, { stable: step.rest, canary: step.weight }),
    ...(['inference', 'gateway'] as const).map((role) => {
      const most = role === 'inference' ? options.scale.demand.maxReplicas : setting.gateway.maxReplicas;
      const replicas: Figure = {
        name: `${step.name}.${role}Replicas`,
        value: Math.max(1, Math.ceil((Number(most.value) * Number(step.weight.value)) / 100)),
        why: `${step.weight.value} % of ${most.value} pods at the most; no autoscaler: a step is short`,
        from: [...step.weight.from, ...most.from],
      };
      return deployment({ ...setting, image: fresh }, { role, variant: 'canary' }, replicas);
    }),
    judgeConfig(names, canaryText ?? ''),
    judgeJob({ names, canary, prometheus }, step, {
      image,
      pod: { serviceAccountName, automountServiceAccountToken, securityContext },
    }),
  ];
}

const all: Figure = {
  name: 'canary.allStable',
  value: 100,
  why: 'until a version goes out everybody is with the one that is there; Rollouts moves the weights',
  from: ['docs/deploy.md'],
};
const nobody: Figure = { ...all, name: 'canary.noneNew', value: 0 };

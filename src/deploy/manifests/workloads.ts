import type { Figure, Tree, TreeMap } from '../document/figure.ts';
import { metadata, nameOfPart, type Part, partLabels } from './names.ts';
import { podTemplate, type Setting } from './pod.ts';

/**
 * A Deployment of one part. Where it has an autoscaler it says no `replicas`: each `apply` would
 * set them back.
 */
export function deployment(setting: Setting, part: Part, replicas?: Figure): TreeMap {
  const { unavailable, surge } = part.role === 'inference' ? setting.inference : setting.gateway;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(setting.names, nameOfPart(setting.names, part)),
    spec: {
      ...(replicas && { replicas }),
      selector: { matchLabels: partLabels(setting.names, part) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: unavailable, maxSurge: surge } },
      template: podTemplate(setting, part),
    },
  };
}

/** The same as a Rollout of Argo, with the strategy that it goes out by. */
export function rollout(setting: Setting, part: Part, strategy: Tree): TreeMap {
  const { labels, ...rest } = podTemplate(setting, part).metadata as TreeMap;
  // Rollouts itself says which pods are of the new version.
  const { 'speechfb.dev/track': _, ...own } = labels as TreeMap;
  const { 'speechfb.dev/track': __, ...selected } = partLabels(setting.names, part);
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: metadata(setting.names, nameOfPart(setting.names, part)),
    spec: {
      selector: { matchLabels: selected },
      strategy,
      template: { ...podTemplate(setting, part), metadata: { ...rest, labels: own } },
    },
  };
}

import type { Tree, TreeMap } from '../document/figure.ts';
import { metadata, type Names, nameOfPart, type Part, roleLabels } from './names.ts';

/** Has a Prometheus operator scrape the pods of a role, and name their version `track`. */
export function podMonitor(names: Names, role: Part['role']): TreeMap {
  const credentials = { name: `${names.release}-tokens`, key: 'metrics' };
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: metadata(names, nameOfPart(names, { role })),
    spec: {
      selector: { matchLabels: roleLabels(names, role) },
      podMetricsEndpoints: [
        {
          port: role === 'inference' ? 'watch' : 'stream',
          path: '/metrics',
          // A gateway shows its metrics to who has a token of its file.
          ...(role === 'gateway' && { authorization: { type: 'Bearer', credentials } }),
          relabelings: [
            {
              action: 'replace',
              sourceLabels: ['__meta_kubernetes_pod_label_speechfb_dev_track'],
              targetLabel: 'track',
            },
          ],
        },
      ],
    },
  };
}

/** Rules as the operator takes them, from the groups of a rule file. */
export function prometheusRule(names: Names, name: string, groups: Tree): TreeMap {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: metadata(names, `${names.release}-${name}`),
    spec: { groups },
  };
}

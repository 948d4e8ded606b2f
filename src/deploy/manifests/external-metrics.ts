import type { Figure, TreeMap } from '../document/figure.ts';
import { metadata, type Names } from './names.ts';
import { ports } from './ports.ts';

/** The metric that the admin plane serves as `external.metrics.k8s.io`: slots used over slots. */
export const usedRatio = 'speechfb_slots_used_ratio';

/** The admin plane of gateways, as Kubernetes' API server reaches it. */
export type AdminSetting = {
  /** The authority of its certificate, PEM in base64; undefined: cert-manager fills it in. */
  caBundle: Figure | undefined;
  /** The common name of the certificate that the API server shows. */
  frontProxyName: string;
};

/** What mounts and services of the admin plane are called. */
export function adminName({ release }: Names): string {
  return `${release}-admin`;
}

/**
 * What the autoscaler asks for slots by: a name for the gateways' admin planes, its place in the
 * API, and leave to read this one metric. The planes ask the API server for nothing, so they need
 * neither its tokens nor a role.
 *
 * @param selector labels of the gateways whose nodes are scaled
 */
export function externalMetrics(names: Names, { caBundle }: AdminSetting, selector: TreeMap): TreeMap[] {
  const name = adminName(names);
  const { namespace, release } = names;
  const labels = metadata(names, name).labels;
  const readers = `${release}-external-metrics`;
  const inject = { annotations: { 'cert-manager.io/inject-ca-from': `${namespace}/${name}` } };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(names, name),
      spec: {
        selector,
        // Gateways that take nobody because all is full are the ones that have to be asked.
        publishNotReadyAddresses: true,
        ports: [{ name: 'admin', port: ports.admin, targetPort: 'admin' }],
      },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1beta1.${group}`, labels, ...(caBundle ? {} : inject) },
      spec: {
        group,
        version: 'v1beta1',
        groupPriorityMinimum: priority,
        versionPriority: priority,
        service: { namespace, name, port: ports.admin },
        ...(caBundle && { caBundle }),
      },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: readers, labels },
      rules: [{ apiGroups: [group], resources: [usedRatio], verbs: ['get', 'list'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: readers, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: readers },
      subjects: [{ kind: 'ServiceAccount', name: 'horizontal-pod-autoscaler', namespace: 'kube-system' }],
    },
  ];
}

const group = 'external.metrics.k8s.io';
const priority: Figure = {
  name: 'externalMetrics.priority',
  value: 100,
  why: 'where the group stands in the list of all; no other serves it',
  from: ['Kubernetes, APIService'],
};

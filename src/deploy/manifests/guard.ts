import type { Figure, Tree, TreeMap } from '../document/figure.ts';
import type { PodFigures } from '../plan/pods.ts';
import type { StoreFigures } from '../plan/store.ts';
import type { ApiServerSetting } from './deletion-cost.ts';
import { metadata, type Names, nameOfPart, type Part, roleLabels } from './names.ts';
import { ports } from './ports.ts';
import { wayToStore } from './store.ts';

const priority: Figure = {
  name: 'priority.realtime',
  value: 1_000_000,
  why: 'above everything that has no class (0) and below what Kubernetes itself needs (2,000,000,000): a batch job yields its place',
  from: ['Kubernetes, PriorityClass'],
};

export function priorityClass({ release }: Names): TreeMap {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: `${release}-realtime` },
    value: priority,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description: 'Learners who speak wait for no batch job.',
  };
}

/** How many pods of a role may be away at once, by those who empty machines. */
export function disruptionBudget(names: Names, role: Part['role'], { unavailable }: PodFigures): TreeMap {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(names, nameOfPart(names, { role })),
    spec: {
      maxUnavailable: unavailable,
      selector: { matchLabels: roleLabels(names, role) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}

export function serviceAccount(names: Names, role: Part['role']): TreeMap {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(names, nameOfPart(names, { role })),
    automountServiceAccountToken: false,
  };
}

const tcp = (port: Figure): TreeMap => ({ protocol: 'TCP', port });
const dns: Tree = {
  to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
  ports: [{ protocol: 'UDP', port: ports.dns }, tcp(ports.dns)],
};
/** Namespaces of the balancer in front and of Prometheus carry these labels. */
const from = (name: string): Tree => ({ namespaceSelector: { matchLabels: { [`speechfb.dev/${name}`]: 'true' } } });

/** Lets roles speak to whom they must; all else is shut, the way out of the region too. */
export function networkPolicies(
  names: Names,
  {
    hasAdminPlane,
    apiServer,
    store,
  }: { hasAdminPlane: boolean; apiServer: ApiServerSetting | undefined; store: StoreFigures },
): TreeMap[] {
  const inference = { podSelector: { matchLabels: roleLabels(names, 'inference') } };
  const gateway = { podSelector: { matchLabels: roleLabels(names, 'gateway') } };
  const policy = (role: Part['role'], ingress: Tree, egress: Tree): TreeMap => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(names, nameOfPart(names, { role })),
    spec: {
      podSelector: { matchLabels: roleLabels(names, role) },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress,
    },
  });
  return [
    policy(
      'inference',
      [
        { from: [gateway], ports: [tcp(ports.trunk)] },
        { from: [from('monitoring')], ports: [tcp(ports.watch)] },
      ],
      [dns, ...(apiServer ? [toApiServer(apiServer)] : [])],
    ),
    policy(
      'gateway',
      [
        { from: [from('ingress'), from('monitoring')], ports: [tcp(ports.stream)] },
        // The API server is no pod: no selector means it. Others have neither its certificate nor a
        // token.
        ...(hasAdminPlane ? [{ ports: [tcp(ports.admin)] }] : []),
      ],
      [dns, { to: [inference], ports: [tcp(ports.trunk)] }, wayToStore(store)],
    ),
  ];
}

function toApiServer({ addresses, ports }: ApiServerSetting): Tree {
  return { to: addresses.map((cidr) => ({ ipBlock: { cidr } })), ports: ports.map(tcp) };
}

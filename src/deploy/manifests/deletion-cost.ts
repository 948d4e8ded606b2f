import { type Figure, type Tree, type TreeMap, written } from '../document/figure.ts';
import { metadata, type Names, nameOfPart } from './names.ts';

/** How pods reach the API server, which no selector means; undefined where they do not ask it. */
export type ApiServerSetting = { addresses: readonly Figure[]; ports: readonly Figure[] };

const inference = { role: 'inference' } as const;
const name = (names: Names) => `${nameOfPart(names, inference)}-own-pod`;

/**
 * What lets an inference pod say how many sessions it has. A role can name no pod that is yet to
 * be, so it lets all of them be patched; the admission policy leaves of that the pod's own
 * annotations.
 */
export function deletionCostRights(names: Names): TreeMap[] {
  const account = nameOfPart(names, inference);
  const rights = name(names);
  const { labels } = metadata(names, rights);
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metadata(names, rights),
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(names, rights),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: rights },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: names.namespace }],
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: rights, labels },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods'] }],
        },
        matchConditions: [{ name: 'by-inference-pods', expression: askedBy(account) }],
        validations: [
          { expression: ownPod, message: 'an inference pod may change no pod but itself' },
          { expression: sameBut, message: 'an inference pod may change nothing of itself but its annotations' },
        ],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: rights, labels },
      spec: { policyName: rights, validationActions: ['Deny'] },
    },
  ];
}

/** The container's flag, and what tells it which pod it is in. */
export const deletionCostFlag = written`--pod-deletion-cost=${accountFolder()}`;
export const podIdentity: Tree[] = [
  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
];

/** The pod's account: a token that the kubelet renews, and who signs the API server. */
export const accountVolume: TreeMap = {
  name: 'account',
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: tokenSeconds() } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ],
  },
};

function accountFolder(): Figure {
  return {
    name: 'inference.deletionCost',
    value: '/etc/speechfb/account',
    why: 'each pod tells the API server how many sessions it has (controller.kubernetes.io/pod-deletion-cost), so that scale-in takes idle pods first; this is where its token is',
    from: ['docs/deploy.md', 'Kubernetes, ReplicaSet'],
  };
}

function tokenSeconds(): Figure {
  return {
    name: 'inference.tokenSeconds',
    value: 3600,
    why: 'the kubelet renews the token long before; one that leaks is worth nothing in an hour',
    from: ['Kubernetes, projected volumes'],
  };
}

/** The namespace is the pod's: a chart may be installed into any. */
function askedBy(account: string): string {
  return `request.userInfo.username == "system:serviceaccount:" + request.namespace + ":${account}"`;
}

/** Tokens of pods name their pod to the API server. */
const extra = 'request.userInfo.extra';
const podClaim = '"authentication.kubernetes.io/pod-name"';
const ownPod = `${podClaim} in ${extra} && object.metadata.name in ${extra}[${podClaim}]`;
const same = (field: string) =>
  `has(object.metadata.${field}) == has(oldObject.metadata.${field}) && (!has(object.metadata.${field}) || object.metadata.${field} == oldObject.metadata.${field})`;
const sameBut = `object.spec == oldObject.spec && ${['labels', 'ownerReferences', 'finalizers'].map(same).join(' && ')}`;

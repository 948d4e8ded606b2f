/** A document of Kubernetes as YAML has it. */
export type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: Record<string, unknown>;
};

type Model = new (data: object) => { validate(): void };

/** Models that were made of Kubernetes' own schema and of the CRDs, by `apiVersion`. */
const models: Readonly<Record<string, () => Promise<object>>> = {
  v1: () => import('kubernetes-models/v1'),
  'admissionregistration.k8s.io/v1': () => import('kubernetes-models/admissionregistration.k8s.io/v1'),
  'apiregistration.k8s.io/v1': () => import('kubernetes-models/apiregistration.k8s.io/v1'),
  'apps/v1': () => import('kubernetes-models/apps/v1'),
  'autoscaling/v2': () => import('kubernetes-models/autoscaling/v2'),
  'batch/v1': () => import('kubernetes-models/batch/v1'),
  'networking.k8s.io/v1': () => import('kubernetes-models/networking.k8s.io/v1'),
  'policy/v1': () => import('kubernetes-models/policy/v1'),
  'rbac.authorization.k8s.io/v1': () => import('kubernetes-models/rbac.authorization.k8s.io/v1'),
  'scheduling.k8s.io/v1': () => import('kubernetes-models/scheduling.k8s.io/v1'),
  'argoproj.io/v1alpha1': () => import('@kubernetes-models/argo-rollouts/argoproj.io/v1alpha1'),
  'gateway.networking.k8s.io/v1': () => import('@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1'),
  'keda.sh/v1alpha1': () => import('@kubernetes-models/keda/keda.sh/v1alpha1'),
  'monitoring.coreos.com/v1': () => import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'),
};

/** What is wrong with a manifest; undefined: nothing that its schema sees. */
export async function manifestFault(manifest: Manifest): Promise<string | undefined> {
  const load = models[manifest.apiVersion];
  if (!load) return `no model of ${manifest.apiVersion}`;
  const Model = ((await load()) as Record<string, Model>)[manifest.kind];
  if (!Model) return `no model of ${manifest.apiVersion} ${manifest.kind}`;
  try {
    new Model(manifest).validate();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

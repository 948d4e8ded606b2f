import { type Figure, type Tree, type TreeMap, written } from '../document/figure.ts';
import type { GatewayFigures, InferenceFigures, PodFigures } from '../plan/pods.ts';
import type { StoreFigures } from '../plan/store.ts';
import { type ApiServerSetting, accountVolume, deletionCostFlag, podIdentity } from './deletion-cost.ts';
import { type AdminSetting, adminName } from './external-metrics.ts';
import { type Names, nameOfPart, type Part, partLabels, roleLabels } from './names.ts';
import { ports } from './ports.ts';
import { storeEnvironment, storeVolume } from './store.ts';

/** What manifests are made of, for one region. */
export type Setting = {
  names: Names;
  image: Figure;
  region: { name: string; cluster: string } | undefined;
  inference: InferenceFigures;
  gateway: GatewayFigures;
  spot: { label: string; value: string } | undefined;
  /** Undefined: nobody asks gateways for slots. */
  admin: AdminSetting | undefined;
  apiServer: ApiServerSetting | undefined;
  store: StoreFigures;
};

const user: Figure = {
  name: 'pod.user',
  value: 1000,
  why: 'the user `node` of the image (deploy/Dockerfile); never root',
  from: ['deploy/Dockerfile'],
};

/** The pod of a role: its one container, and what keeps it apart from everything else. */
export function podTemplate(setting: Setting, part: Part): TreeMap {
  const { names } = setting;
  const isInference = part.role === 'inference';
  const figures = isInference ? setting.inference : setting.gateway;
  return {
    metadata: { labels: partLabels(names, part) },
    spec: {
      serviceAccountName: nameOfPart(names, { role: part.role }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(isInference && { priorityClassName: `${names.release}-realtime` }),
      terminationGracePeriodSeconds: figures.grace,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...placement(setting, part),
      containers: [isInference ? inferenceContainer(setting) : gatewayContainer(setting)],
      volumes: volumesOf(setting, part),
    },
  };
}

function inferenceContainer(setting: Setting): TreeMap {
  const { inference, region, apiServer } = setting;
  return {
    name: 'inference',
    ...container(setting, inference, inference.gpus),
    args: [
      'serve',
      '--role=inference',
      written`--node-listen=0.0.0.0:${ports.trunk}`,
      written`--http-listen=0.0.0.0:${ports.watch}`,
      written`--slots=${inference.slots}`,
      written`--drain=${inference.drain}`,
      ...(apiServer ? [deletionCostFlag] : []),
      ...(region ? [`--region=${region.name}`] : []),
      ...trunkCertificates,
    ],
    ...(apiServer && { env: podIdentity }),
    ports: [
      { name: 'trunk', containerPort: ports.trunk },
      { name: 'watch', containerPort: ports.watch },
    ],
    ...probes(inference, 'watch'),
    volumeMounts: ['trunk', ...(apiServer ? ['account'] : [])].map(mount),
  };
}

function gatewayContainer(setting: Setting): TreeMap {
  const { gateway, region, names, admin, store } = setting;
  const nodes = nameOfPart(names, { role: 'inference' });
  return {
    name: 'gateway',
    ...container(setting, gateway, undefined),
    args: [
      'serve',
      '--role=gateway',
      '--host=0.0.0.0',
      written`--port=${ports.stream}`,
      written`--node=dns:${nodes}:${ports.trunk}`,
      written`--max-sessions=${gateway.sessions}`,
      written`--drain=${gateway.drain}`,
      written`--trust-proxy=${proxies}`,
      '--token-file=/etc/speechfb/tokens/tokens',
      written`--store=${store.url}`,
      ...(admin ? adminFlags(admin) : []),
      ...(region ? [`--region=${region.name}`] : []),
      ...trunkCertificates,
    ],
    env: storeEnvironment(store),
    ports: [
      { name: 'stream', containerPort: ports.stream },
      ...(admin ? [{ name: 'admin', containerPort: ports.admin }] : []),
    ],
    ...probes(gateway, 'stream'),
    lifecycle: { preStop: { sleep: { seconds: gateway.settle } } },
    volumeMounts: [
      ...['trunk', 'tokens', ...(admin ? ['admin', 'front-proxy'] : [])],
      ...(store.authority === undefined ? [] : [storeVolume]),
    ].map(mount),
  };
}

function container({ image }: Setting, { cpu, memory }: PodFigures, gpus: Figure | undefined): TreeMap {
  const all = { cpu, memory, ...(gpus && { 'nvidia.com/gpu': gpus }) };
  return {
    image,
    // Limits equal to requests: the pod is of the class Guaranteed.
    resources: { requests: all, limits: all },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

const second = (name: string, value: number, why: string): Figure => ({
  name: `probes.${name}`,
  value,
  why,
  from: ['docs/deploy.md'],
});
const readyPeriod = second('readyPeriod', 5, 'a pod that drains or stands still gets nobody new within two such looks');
const readyFailures = second('readyFailures', 2, 'one lost answer is no outage');
const alivePeriod = second('alivePeriod', 10, 'a look at whether what scores still moves');
const aliveFailures = second(
  'aliveFailures',
  6,
  'a minute in which neither the model nor the scoring moves: the server mends them by itself, sooner',
);
const probeTimeout = second('timeout', 3, 'an answer takes milliseconds; a busy machine may be late');

/** Startup and readiness by /readyz, life by /livez. */
function probes({ startupPeriod, startupFailures }: PodFigures, port: 'watch' | 'stream'): TreeMap {
  const get = (path: string) => ({ httpGet: { path, port }, timeoutSeconds: probeTimeout });
  return {
    startupProbe: { ...get('/readyz'), periodSeconds: startupPeriod, failureThreshold: startupFailures },
    readinessProbe: { ...get('/readyz'), periodSeconds: readyPeriod, failureThreshold: readyFailures },
    livenessProbe: {
      ...get('/livez'),
      periodSeconds: alivePeriod,
      failureThreshold: aliveFailures,
    },
  };
}

const proxies: Figure = {
  name: 'gateway.proxies',
  value: 1,
  why: 'one balancer in front, which names its callers in X-Forwarded-For',
  from: ['docs/deploy.md'],
};

const trunkCertificates = [
  '--node-cert=/etc/speechfb/trunk/tls.crt',
  '--node-key=/etc/speechfb/trunk/tls.key',
  '--node-ca=/etc/speechfb/trunk/ca.crt',
];

/** The plane that Kubernetes' autoscaler asks; its port has a certificate of its own. */
function adminFlags({ frontProxyName }: AdminSetting): Tree[] {
  return [
    written`--admin-listen=0.0.0.0:${ports.admin}`,
    '--admin-token-file=/etc/speechfb/tokens/admin',
    '--admin-tls-cert=/etc/speechfb/admin/tls.crt',
    '--admin-tls-key=/etc/speechfb/admin/tls.key',
    '--front-proxy-ca=/etc/speechfb/front-proxy/ca.crt',
    `--front-proxy-name=${frontProxyName}`,
  ];
}

function mount(name: string): TreeMap {
  return { name, mountPath: `/etc/speechfb/${name}`, readOnly: true };
}

function volumesOf({ names, admin, apiServer, store }: Setting, { role }: Part): Tree[] {
  const secret = (name: string) => ({ name, secret: { secretName: `${names.release}-${name}` } });
  if (role === 'inference') return [secret('trunk'), ...(apiServer ? [accountVolume] : [])];
  const authority = { name: 'front-proxy', configMap: { name: `${names.release}-front-proxy` } };
  return [
    ...['trunk', 'tokens'].map(secret),
    ...(admin ? [{ name: 'admin', secret: { secretName: adminName(names) } }, authority] : []),
    ...(store.authority === undefined ? [] : [{ name: storeVolume, configMap: { name: store.authority } }]),
  ];
}

const skew: Figure = {
  name: 'pod.maxSkew',
  value: 1,
  why: 'zones and machines differ by one pod at most where there is room: the loss of one takes its share, no more',
  from: ['Kubernetes, topology spread'],
};

/** Where pods may run: machines of their own, spread, in their region. */
function placement({ names, region, spot }: Setting, part: Part): TreeMap {
  const spread = (key: string) => ({
    maxSkew: skew,
    topologyKey: key,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: roleLabels(names, part.role) },
  });
  const isSpot = part.variant === 'spot' && spot !== undefined;
  const must = [
    ...(region ? [{ key: 'topology.kubernetes.io/region', operator: 'In', values: [region.cluster] }] : []),
    ...(isSpot ? [{ key: spot.label, operator: 'In', values: [spot.value] }] : []),
    ...(spot && part.variant !== 'spot' ? [{ key: spot.label, operator: 'NotIn', values: [spot.value] }] : []),
  ];
  const affinity = must.length > 0 && {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: must }] },
      },
    },
  };
  const realtime = part.role === 'inference' && {
    nodeSelector: { 'speechfb.dev/realtime': 'true' },
    tolerations: [
      { key: 'speechfb.dev/realtime', operator: 'Equal', value: 'true', effect: 'NoSchedule' },
      ...(isSpot ? [{ key: spot.label, operator: 'Equal', value: spot.value, effect: 'NoSchedule' }] : []),
    ],
  };
  return {
    ...realtime,
    ...affinity,
    topologySpreadConstraints: [spread('topology.kubernetes.io/zone'), spread('kubernetes.io/hostname')],
  };
}

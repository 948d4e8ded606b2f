import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { registerCanary } from '../../src/commands/canary/command.ts';
import { registerServe } from '../../src/commands/serve/command.ts';
import { costTellerOf } from '../../src/commands/serve/deletion-cost.ts';
import { newAuthority } from '../../src/load/service/authority.ts';
import { redisPlaceOf } from '../../src/stores/redis/redis-place.ts';
import { manifestsOf, planOf, shippedSources } from '../kit/deployments.ts';
import { type Manifest, manifestFault } from '../kit/kubernetes-models.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped = shippedSources();
const regions = `
  regions:
    - {name: eu, share: 60%, pinned: true}
    - {name: us, share: 40%, pinned: true, behind: 6h}
`;
const residency = `
  regions:
    - {name: eu, residency: stays, cluster: eu-west-1}
    - {name: us, residency: stays, cluster: us-east-1}
`;
const spot = shipped.capacity.replace(
  'share: 70%}',
  'share: 70%, spot: {share: 50%, price: $0.80/h, loss: 5%, sure: 99.9%, lossPerHour: 5%, notice: 2m}}',
);
const withValues = (...changes: readonly (readonly [string, string])[]) =>
  changes.reduce((text, [from, to]) => text.replace(from, to), shipped.values);
const { canary: __, ...withoutCanary } = shipped;
const withRedis = (redis: string) => ({ ...shipped, values: `${shipped.values}  redis: ${redis}\n` });
const caBundle = Buffer.from(newAuthority('who signs the admin plane').certificate).toString('base64');

const deployments = {
  'as it ships': shipped,
  'without a canary': { ...withoutCanary, values: withValues(['  rollout: job\n', '']) },
  'by KEDA': {
    ...shipped,
    capacity: shipped.capacity.replace('scaling: {', 'scaling: {kind: keda, '),
    values: withValues(['autoscaler: hpa', 'autoscaler: keda']),
  },
  'by Argo Rollouts': { ...shipped, values: withValues(['rollout: job', 'rollout: rollouts']) },
  'blue and green': { ...shipped, values: withValues(['rollout: job', 'rollout: blue-green']) },
  'half on spot': { ...shipped, capacity: spot, values: `${shipped.values}  spot: {floor: 30%}\n` },
  'in two regions': { ...shipped, capacity: shipped.capacity + regions, values: shipped.values + residency },
  'without its API server': { ...shipped, values: shipped.values.replace(/^ *apiServer: .*\n/m, '') },
  'far from its API server': {
    ...shipped,
    values: shipped.values.replace(/apiServer: .*/, 'apiServer: {addresses: ["fd00::1/128"], ports: [8443]}'),
  },
  'with a store at sentinels': withRedis(
    '{url: "rediss+sentinel://speechfb@s-0.data:26379,s-1.data,s-2.data:26380/main/2?sentinel_tls=yes", ' +
      'password: {secret: redis-words, key: redis-password}, sentinelPassword: {key: sentinel-password}, ' +
      'ports: [6380], authority: redis-ca, pods: {namespace: data, instance: cache}}',
  ),
  'on GPUs, with all that can be given': {
    ...shipped,
    values: withValues(
      ['inference: {drain: 60s}', 'inference: {cpu: 8, memory: 16Gi, gpus: 1, drain: 90s, gracePeriod: 3m}'],
      [
        'gateway: {drain: 10s}',
        `gateway: {sessions: 400, memory: 4Gi, drain: 20s, gracePeriod: 60s}
  admin: {caBundle: ${caBundle}, frontProxyName: aggregator}`,
      ],
    ),
  },
} as const;

describe.each(Object.entries(deployments))('a deployment %s', (_, sources) => {
  const manifests = manifestsOf(planOf(folder, sources));
  const of = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);

  it('is valid by the schemas of Kubernetes and of every CRD that it uses', async () => {
    const faults = await Promise.all(
      manifests.map(async (manifest) => {
        const fault = await manifestFault(manifest);
        return fault && `${manifest.kind} ${manifest.metadata.name}: ${fault}`;
      }),
    );
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
    expect(manifests.length).toBeGreaterThan(15);
  });

  it('says no replicas where an autoscaler does, and no autoscaler goes to zero', () => {
    const scaled = [...of('HorizontalPodAutoscaler'), ...of('ScaledObject')].map(({ metadata, spec }) => ({
      name: metadata.name,
      min: (spec!.minReplicas ?? spec!.minReplicaCount) as number,
      max: (spec!.maxReplicas ?? spec!.maxReplicaCount) as number,
    }));
    for (const { min, max } of scaled) {
      expect(min).toBeGreaterThan(0);
      expect(max).toBeGreaterThanOrEqual(min);
    }
    const names = new Set(scaled.map((one) => one.name));
    for (const workload of [...of('Deployment'), ...of('Rollout')])
      expect('replicas' in workload.spec!, workload.metadata.name).toBe(!names.has(workload.metadata.name));
  });

  it('runs nobody as root, writes on no disk of its own, and limits what it requests', () => {
    const pods = [...of('Deployment'), ...of('Rollout'), ...of('Job')].map(podOf);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const { securityContext } of pod.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
    for (const pod of [...of('Deployment'), ...of('Rollout')].map(podOf))
      for (const { resources } of pod.containers) expect(resources!.limits).toEqual(resources!.requests);
  });

  it('gives each container flags that speechfb takes', () => {
    const all = [...of('Deployment'), ...of('Rollout'), ...of('Job')].flatMap((one) => podOf(one).containers);
    for (const { args } of all) expect(parsed(args), args.join(' ')).toBeDefined();
    expect(all.some(({ args }) => args.includes('--role=inference'))).toBe(true);
  });

  it('kills nobody who drains, and names every secret and account that it mounts in one way', () => {
    for (const manifest of [...of('Deployment'), ...of('Rollout')]) {
      const pod = podOf(manifest);
      const drain = Number(/--drain=(\d+)s/.exec(pod.containers[0]!.args.join(' '))![1]);
      const settle = pod.containers[0]!.lifecycle?.preStop.sleep.seconds ?? 0;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drain + settle);
      const accounts = of('ServiceAccount').map(({ metadata }) => metadata.name);
      expect(accounts).toContain(pod.serviceAccountName);
      const mounted = pod.containers[0]!.volumeMounts.map((mount) => mount.name);
      expect(pod.volumes.map((volume) => volume.name)).toEqual(mounted);
    }
  });
});

it.each(Object.entries(deployments))(
  'leaves external metrics to KEDA where it is there: a deployment %s',
  (name, sources) => {
    const manifests = manifestsOf(planOf(folder, sources));
    const asks = JSON.stringify(manifests).includes('"speechfb_slots_used_ratio","selector"');
    const ways = manifests.some(({ kind }) => kind === 'APIService');
    const open = JSON.stringify(manifests).includes('admin');
    const isByHpa = name !== 'by KEDA';
    expect({ asks, ways, open }).toEqual({ asks: isByHpa, ways: isByHpa, open: isByHpa });
  },
);

const byHpa = Object.entries(deployments).filter(([name]) => name !== 'by KEDA');
describe.each(byHpa)('external metrics of a deployment %s', (_, sources) => {
  const manifests = manifestsOf(planOf(folder, sources));
  const of = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
  const services = of('Service').filter(({ metadata }) => metadata.name === 'speechfb-admin');

  it('are asked of ports that gateways have and that are open', () => {
    const [{ port, targetPort }] = services[0]!.spec!.ports as [{ port: number; targetPort: string }];
    for (const { spec } of of('APIService'))
      expect(spec).toMatchObject({ service: { namespace: 'speechfb', name: 'speechfb-admin', port } });
    const gateways = [...of('Deployment'), ...of('Rollout')].filter(({ metadata }) =>
      metadata.name.includes('gateway'),
    );
    expect(gateways.length).toBeGreaterThan(0);
    for (const { args, ports } of gateways.map((one) => podOf(one).containers[0]!)) {
      expect(args).toContain(`--admin-listen=0.0.0.0:${port}`);
      expect(ports).toContainEqual({ name: targetPort, containerPort: port });
    }
    const open = of('NetworkPolicy').find(({ metadata }) => metadata.name === 'speechfb-gateway')!;
    expect(open.spec!.ingress).toContainEqual({ ports: [{ protocol: 'TCP', port }] });
  });

  it('are asked of gateways that are full, too, and of one version alone', () => {
    const { selector, publishNotReadyAddresses } = services[0]!.spec! as { selector: object } & Record<string, unknown>;
    const learners = of('Service').find(({ metadata }) => metadata.name === 'speechfb-gateway')!;
    expect({ selector, publishNotReadyAddresses }).toEqual({
      selector: learners.spec!.selector,
      publishNotReadyAddresses: true,
    });
  });
});

it.each([
  ['as it ships', undefined, 'speechfb/speechfb-admin', 'front-proxy-client'],
  ['on GPUs, with all that can be given', caBundle, undefined, 'aggregator'],
] as const)('has the API server and the plane know one another %s', (name, bundle, certificate, commonName) => {
  const [service] = kindsOf(name, 'APIService');
  const annotations = (service!.metadata as { annotations?: Record<string, string> }).annotations;
  expect({ bundle: service!.spec!.caBundle, from: annotations?.['cert-manager.io/inject-ca-from'] }).toEqual({
    bundle,
    from: certificate,
  });
  const [gateway] = kindsOf(name, 'Deployment').filter(({ metadata }) => metadata.name === 'speechfb-gateway');
  expect(podOf(gateway!).containers[0]!.args).toContain(`--front-proxy-name=${commonName}`);
});

describe.each([
  ['as it ships', ['10.96.0.1/32', '172.18.0.2/32'], [443, 6443]],
  ['on GPUs, with all that can be given', ['10.96.0.1/32', '172.18.0.2/32'], [443, 6443]],
  ['in two regions', ['10.96.0.1/32', '172.18.0.2/32'], [443, 6443]],
  ['far from its API server', ['fd00::1/128'], [8443]],
] as const)('pods of a deployment %s', (name, addresses, ports) => {
  const inference = [...kindsOf(name, 'Deployment'), ...kindsOf(name, 'Rollout')].filter(({ metadata }) =>
    metadata.name.includes('inference'),
  );

  it('tell the API server what it costs to delete them, with a token that they alone have', () => {
    expect(inference.length).toBeGreaterThan(0);
    for (const { containers, volumes } of inference.map(podOf)) {
      const { args, env, volumeMounts } = containers[0]!;
      expect(args).toContain('--pod-deletion-cost=/etc/speechfb/account');
      expect(volumeMounts).toContainEqual({ name: 'account', mountPath: '/etc/speechfb/account', readOnly: true });
      const sources = volumes.find((volume) => volume.name === 'account')!.projected!.sources;
      expect(sources).toEqual([
        { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      ]);
      const folder = join(folderOf(name), 'account');
      mkdirSync(folder, { recursive: true });
      for (const file of ['token', 'ca.crt']) writeFileSync(join(folder, file), 'known');
      const given = Object.fromEntries(env!.map((one) => [one.name, one.valueFrom.fieldRef!.fieldPath]));
      const cluster = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
      expect(() => costTellerOf(folder, { ...cluster, ...given })).not.toThrow();
    }
  });

  it('may patch pods, and by the admission policy of those themselves alone', () => {
    const [role] = kindsOf(name, 'Role');
    expect(role).toMatchObject({ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['patch'] }] });
    const account = { kind: 'ServiceAccount', name: 'speechfb-inference', namespace: 'speechfb' };
    expect(kindsOf(name, 'RoleBinding')[0]).toMatchObject({
      roleRef: { name: role!.metadata.name },
      subjects: [account],
    });
    const [policy] = kindsOf(name, 'ValidatingAdmissionPolicy');
    const [binding] = kindsOf(name, 'ValidatingAdmissionPolicyBinding');
    expect(binding!.spec).toEqual({ policyName: policy!.metadata.name, validationActions: ['Deny'] });
    expect(JSON.stringify(policy!.spec)).toContain(`:${account.name}`);
    for (const { serviceAccountName } of inference.map(podOf)) expect(serviceAccountName).toBe(account.name);
  });

  it('reach the API server, and nobody else out there', () => {
    const open = kindsOf(name, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'speechfb-inference')!;
    const [, ...others] = open.spec!.egress as object[];
    const to = addresses.map((cidr) => ({ ipBlock: { cidr } }));
    expect(others).toEqual([{ to, ports: ports.map((port) => ({ protocol: 'TCP', port })) }]);
  });
});

it('has pods whose API server nobody names ask nothing of it', () => {
  const manifests = manifestsOf(planOf(folder, deployments['without its API server']));
  const written = JSON.stringify(manifests);
  for (const word of ['deletion-cost', 'POD_NAME', 'own-pod', 'ipBlock', 'serviceAccountToken'])
    expect(written).not.toContain(word);
});

const folderOf = (name: string) => join(folder, name.replaceAll(/\W/g, '-'));

const kindsOf = (name: keyof typeof deployments, kind: string) =>
  manifestsOf(planOf(folder, deployments[name])).filter((manifest) => manifest.kind === kind);

it('has KEDA read silence as an error and hold what it has', () => {
  const [scaled] = kindsOf('by KEDA', 'ScaledObject');
  expect(scaled!.spec).toMatchObject({
    fallback: { behavior: 'currentReplicasIfHigher', replicas: 204 },
    minReplicaCount: 204,
    triggers: [{ metadata: { ignoreNullValues: 'false', threshold: '230' } }],
  });
});

it('keeps each region in its region', () => {
  const pods = kindsOf('in two regions', 'Deployment').map(podOf);
  const places = pods.map(({ affinity, containers }) => [
    /[a-z]+-[a-z]+-1/.exec(JSON.stringify(affinity))?.[0],
    containers[0]!.args.find((flag) => flag.startsWith('--region=')),
  ]);
  const [eu, us] = [
    ['eu-west-1', '--region=eu'],
    ['us-east-1', '--region=us'],
  ];
  expect(places.slice(0, places.length / 2).every((place) => String(place) === String(eu))).toBe(true);
  expect(places.slice(places.length / 2).every((place) => String(place) === String(us))).toBe(true);
});

it('keeps the on-demand part beside spot, and lets it grow to all', () => {
  const bounds = Object.fromEntries(
    kindsOf('half on spot', 'HorizontalPodAutoscaler').map(({ metadata, spec }) => [
      metadata.name,
      [spec!.minReplicas as number, spec!.maxReplicas as number],
    ]),
  );
  expect(bounds['speechfb-inference']).toEqual([102, 260]);
  expect(bounds['speechfb-inference-spot']![0]).toBeGreaterThan(102);
});

it('refuses a manifest with a misspelt key, so that the schemas are strict', async () => {
  const [manifest] = manifestsOf(planOf(folder, shipped)).filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const { maxReplicas, ...spec } = manifest!.spec!;
  expect(await manifestFault({ ...manifest!, spec: { ...spec, maxReplica: maxReplicas } })).toContain('maxReplicas');
  const [rollout] = manifestsOf(planOf(folder, deployments['by Argo Rollouts'])).filter(
    ({ kind }) => kind === 'Rollout',
  );
  expect(
    await manifestFault({
      ...rollout!,
      spec: { ...rollout!.spec, strategy: { canary: { steps: [{ setWeight: 'five' }] } } },
    }),
  ).toContain('setWeight');
});

const own = [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'speechfb-redis' } } }];
const word = (secret: string, key: string) => ({ secretKeyRef: { name: secret, key } });
describe.each([
  [
    'of its own',
    shipped,
    { host: 'speechfb-redis', port: 6379, database: 0, username: undefined, password: 'p@1', isSecure: false },
    { to: own, ports: [6379], env: { REDIS_PASSWORD: word('speechfb-redis', 'password') }, mounts: [] },
  ],
  [
    'that sentinels know, by TLS, in another namespace',
    deployments['with a store at sentinels'],
    {
      sentinels: [
        { host: 's-0.data', port: 26_379 },
        { host: 's-1.data', port: 26_379 },
        { host: 's-2.data', port: 26_380 },
      ],
      master: 'main',
      sentinelLogin: { username: undefined, password: 'p@2', isSecure: true },
      database: 2,
      username: 'speechfb',
      password: 'p@1',
      isSecure: true,
    },
    {
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'data' } },
          podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'cache' } },
        },
      ],
      ports: [26_379, 26_380, 6380],
      env: {
        REDIS_PASSWORD: word('redis-words', 'redis-password'),
        SENTINEL_PASSWORD: word('speechfb-redis', 'sentinel-password'),
        NODE_EXTRA_CA_CERTS: undefined,
      },
      mounts: ['redis'],
    },
  ],
  [
    'that sentinels know, and no more is said',
    withRedis('{url: "redis+sentinel://s/main"}'),
    { sentinels: [{ host: 's', port: 26_379 }], sentinelLogin: { password: undefined }, password: 'p@1' },
    { to: own, ports: [26_379, 6379], env: { REDIS_PASSWORD: word('speechfb-redis', 'password') }, mounts: [] },
  ],
  [
    'that is a cluster elsewhere',
    withRedis(
      '{url: "rediss+cluster://c-0.example.com:7000,c-1.example.com", ports: [7001], addresses: [10.9.0.0/16]}',
    ),
    {
      nodes: [
        { host: 'c-0.example.com', port: 7000 },
        { host: 'c-1.example.com', port: 6379 },
      ],
      password: 'p@1',
      isSecure: true,
    },
    {
      to: [{ ipBlock: { cidr: '10.9.0.0/16' } }],
      ports: [7000, 6379, 7001],
      env: { REDIS_PASSWORD: word('speechfb-redis', 'password') },
      mounts: [],
    },
  ],
] as const)('a store %s', (_, sources, place, expected) => {
  const manifests = manifestsOf(planOf(folder, sources));
  const gateways = manifests.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name.includes('gateway'));

  it('is what gateways connect to, with passwords that stand in Secrets alone', () => {
    vi.stubEnv('REDIS_PASSWORD', 'p%401');
    vi.stubEnv('SENTINEL_PASSWORD', 'p%402');
    for (const { args } of gateways.map((one) => podOf(one).containers[0]!)) {
      const [store] = args.filter((flag) => flag.startsWith('--store='));
      expect(redisPlaceOf(store!.slice('--store='.length)).place).toMatchObject(place);
    }
    vi.unstubAllEnvs();
    expect(gateways.length).toBeGreaterThan(1);
  });

  it('is let through on the ports that are spoken to, and on no other', () => {
    const policy = manifests.find(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.includes('gateway'),
    );
    const [, , ...ways] = policy!.spec!.egress as object[];
    const ports = expected.ports.map((port) => ({ protocol: 'TCP', port }));
    expect(ways).toEqual([{ to: expected.to, ports }]);
  });

  it('has its passwords and who signs its certificates where gateways look', () => {
    for (const { containers, volumes } of gateways.map(podOf)) {
      const { env, volumeMounts } = containers[0]!;
      expect(Object.fromEntries(env!.map(({ name, valueFrom }) => [name, valueFrom]))).toEqual(expected.env);
      const mounted = volumeMounts.map(({ name }) => name).filter((name) => name === 'redis');
      expect(mounted).toEqual(expected.mounts);
      if (mounted.length === 0) continue;
      expect(volumes).toContainEqual({ name: 'redis', configMap: { name: 'redis-ca' } });
      expect(env).toContainEqual({ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/speechfb/redis/ca.crt' });
    }
  });
});

type Container = {
  args: string[];
  env?: { name: string; value?: string; valueFrom: { fieldRef?: { fieldPath: string } } }[];
  resources?: { limits: object; requests: object };
  securityContext: object;
  ports: { name: string; containerPort: number }[];
  volumeMounts: { name: string }[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
};
type Pod = {
  securityContext: object;
  automountServiceAccountToken: boolean;
  serviceAccountName: string;
  terminationGracePeriodSeconds: number;
  containers: Container[];
  volumes: { name: string; projected?: { sources: object[] } }[];
  affinity?: object;
};

function podOf({ spec }: Manifest): Pod {
  return (spec!.template as { spec: Pod }).spec;
}

/** What the real commands make of the arguments; throws where they take one for unknown. */
function parsed(args: readonly string[]): object {
  const program = new Command('speechfb').exitOverride().configureOutput({ writeErr: () => {} });
  registerServe(program, () => {});
  registerCanary(program, () => {});
  const each = (command: Command): Command[] => [command, ...command.commands.flatMap(each)];
  for (const command of each(program)) if (command.commands.length === 0) command.exitOverride().action(() => {});
  return program.parse(args as string[], { from: 'user' });
}

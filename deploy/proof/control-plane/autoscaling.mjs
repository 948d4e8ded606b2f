// Kubernetes' own HPA scales nodes by the slots that a gateway's admin plane serves as external.metrics.k8s.io, under learners who speak.
// Real: API server, controllers, the manifests of `speechfb deploy`, gateways, nodes, their sessions and slots, the certificates of the API
// server, the admin plane, the front proxy and trunks. Not: scheduler, kubelets, images and the network of pods (kubelet.mjs is in their
// place), and so the Service of the admin plane leads to the loopback interface by its name; cert-manager; the store of sessions.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { hold, sleep, until } from './assertions.mjs';
import { ask, kubectl, merge } from './cluster.mjs';
import { Kubelet } from './kubelet.mjs';
import { startSpeechfb } from './processes.mjs';

const { OUT, ADMIN_PORT, API } = process.env;
const pki = (name) => join(OUT, 'pki', name);
const metric = '/apis/external.metrics.k8s.io/v1beta1/namespaces/speechfb/speechfb_slots_used_ratio';
const deployment = '/apis/apps/v1/namespaces/speechfb/deployments/speechfb-inference';
const hpaPath = '/apis/autoscaling/v2/namespaces/speechfb/horizontalpodautoscalers/speechfb-inference';
const podsOf = (component) =>
  `/api/v1/namespaces/speechfb/pods?labelSelector=${encodeURIComponent(`app.kubernetes.io/component=${component}`)}`;
const token = '0123456789abcdef-learners';
/** Slots of a node, as control-plane/capacity.yaml comes to, and places for nodes on this machine. */
const slots = 5;
const most = 24;

export async function autoscales() {
  const places = await placesOf();
  const kubelet = new Kubelet({
    flagsOf: places.flagsOf,
    out: OUT,
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: new URL(API).port },
  });
  const replicas = watchReplicas();
  const classes = [];
  const join = (count) => classes.push(speak(places.learnersUrl, count, `learners-${classes.length}`));
  try {
    await applyDeployment();
    await kubelet.start();
    await settles();
    join(7);
    join(15);
    await reaches(6, 22);
    join(16);
    await reaches(10, 38);
    await Promise.all(classes.slice(1).map((one) => one.end()));
    await holdsWithoutFigures(kubelet, places.adminPod());
    await scalesIn();
    await heardAll(classes[0]);
  } finally {
    for (const one of classes) await one.end();
    await kubelet.stop();
    replicas.stop();
  }
  hold(
    'replicas over time',
    replicas.seen.length > 4,
    replicas.seen.map(({ atS, count }) => `${count} at ${atS} s`).join(', '),
  );
}

/** The manifests of a small fleet, with what a cluster brings: the authority in the APIService, and where the admin plane is. */
async function applyDeployment() {
  const manifests = join(OUT, 'manifests');
  const from = [
    '--capacity',
    'deploy/proof/control-plane/capacity.yaml',
    '--slo',
    'live-feedback',
    '--canary',
    'canary',
  ];
  const made = spawnSync(
    'node',
    ['bin/speechfb', 'deploy', ...from, '--values', 'deploy/values.yaml', '--out', manifests],
    { encoding: 'utf8' },
  );
  const applied = kubectl(['apply', '--validate=strict', '-k', manifests]);
  hold(
    'the manifests of a small fleet are applied',
    made.status === 0 && applied.status === 0,
    applied.status === 0 ? '' : `${made.stderr}${applied.said}`.slice(-600),
  );
  // No pod has an address here: the name of the Service leads to the loopback interface.
  kubectl(['delete', 'service', '-n', 'speechfb', 'speechfb-admin']);
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'speechfb-admin' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  };
  await ask('/api/v1/namespaces/speechfb/services', { method: 'POST', body: service });
  const caBundle = kubectl([
    'config',
    'view',
    '--raw',
    '--flatten',
    '-o',
    'jsonpath={.clusters[0].cluster.certificate-authority-data}',
  ]).said;
  await merge('/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io', {
    spec: { caBundle, service: { name: 'speechfb-admin', namespace: 'speechfb', port: Number(ADMIN_PORT) } },
  });
  // As docs/deploy.md has it.
  const authority = kubectl([
    'get',
    'configmap',
    '-n',
    'kube-system',
    'extension-apiserver-authentication',
    '-o',
    'jsonpath={.data.requestheader-client-ca-file}',
  ]);
  writeFileSync(pki('front-proxy-ca.crt'), `${authority.said}\n`);
  hold(
    'the authority of the front proxy stands where docs/deploy.md says',
    authority.said.includes('BEGIN CERTIFICATE'),
  );
  writeFileSync(pki('tokens'), `learners ${token}\n`);
  writeFileSync(pki('admin-tokens'), 'proof read 0123456789abcdef-operators\n');
}

/**
 * Where processes listen on this machine. The first gateway has the admin plane that the API server asks, the second one the learners: it
 * does not matter which gateway is asked for slots.
 */
async function placesOf() {
  const ports = await freePorts(2 * most + 2);
  const trunks = ports.slice(0, most).map((port) => `127.0.0.1:${port}`);
  const free = trunks.map((listen, i) => ({ listen, watch: ports[most + i] }));
  const gateways = ports.slice(2 * most).map((port, i) => ({ port, admin: i === 0 ? ADMIN_PORT : 0 }));
  let adminPod;
  const flagsOf = (pod, { args, account }) => {
    const isNode = pod.metadata.labels['app.kubernetes.io/component'] === 'inference';
    const place = isNode ? free.shift() : gateways.shift();
    if (place === undefined) return undefined;
    if (place.admin === ADMIN_PORT) adminPod = pod.metadata.name;
    const flags = args.flatMap((flag) => localFlag(flag, { ...place, trunks, account }));
    return { flags, readyUrl: `http://127.0.0.1:${place.watch ?? place.port}/readyz` };
  };
  return { flagsOf, adminPod: () => adminPod, learnersUrl: `ws://127.0.0.1:${ports.at(-1)}` };
}

function localFlag(flag, { listen, watch, port, admin, trunks, account }) {
  const [name, value = ''] = flag.split(/=(.*)/s);
  if (name === '--node-listen') return `${name}=${listen}`;
  if (name === '--http-listen') return `${name}=127.0.0.1:${watch}`;
  if (name === '--host') return `${name}=127.0.0.1`;
  if (name === '--port') return `${name}=${port}`;
  if (name === '--node') return [name, ...trunks];
  if (name === '--admin-listen') return `${name}=127.0.0.1:${admin}`;
  if (name === '--pod-deletion-cost') return `${name}=${account}`;
  // No Redis here: a session ends with its gateway.
  if (name === '--store') return [];
  if (name === '--token-file') return `${name}=${pki('tokens')}`;
  if (name === '--admin-token-file') return `${name}=${pki('admin-tokens')}`;
  if (name === '--front-proxy-ca') return `${name}=${pki('front-proxy-ca.crt')}`;
  const place = /^\/etc\/speechfb\/(trunk|admin)\/(tls\.crt|tls\.key|ca\.crt)$/.exec(value);
  if (!place) return flag;
  return `${name}=${pki(place[2] === 'ca.crt' ? 'cluster.crt' : place[2].replace('tls', place[1]))}`;
}

async function settles() {
  const ready = await until(
    async () => (await readyPods('inference')) === 2 && (await readyPods('gateway')) === 2,
    180,
  );
  hold(
    'the HPA fills an empty fleet to its floor of 2',
    ready === true,
    `${await readyPods('inference')} nodes and ${await readyPods('gateway')} gateways ready`,
  );
  const available = await until(async () => {
    const { status } = await ask('/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io');
    return status?.conditions?.find(({ type }) => type === 'Available')?.status === 'True';
  }, 60);
  hold(
    'the APIService is available: API server and gateway know one another by their certificates',
    available === true,
  );
  const zero = await until(async () => (await served()) === 0, 30);
  hold('nobody speaks: the admin plane says 0', zero === true, await served());
  const asked = (account) => kubectl(['get', '--as', `system:serviceaccount:${account}`, '--raw', metric]);
  const [own, other] = [asked('kube-system:horizontal-pod-autoscaler'), asked('speechfb:default')];
  hold(
    "the HPA's account may read it, another may not",
    own.status === 0 && other.status !== 0,
    other.said.split('\n')[0].slice(0, 160),
  );
}

/** 22 sessions on slots of five: the controller wants 6 nodes, within its tolerance; 38 want 10. */
async function reaches(nodes, learners) {
  const reached = await until(async () => (await readyPods('inference')) === nodes, 240);
  const wanted = learners / (nodes * slots);
  const ratio = await until(async () => {
    const found = await served();
    return found !== undefined && Math.abs(found - wanted) < 0.5 / (nodes * slots) && found;
  }, 60);
  hold(`${learners} learners: ${nodes} nodes`, reached === true, `${await readyPods('inference')} ready`);
  hold(
    `${learners} learners on ${nodes * slots} slots: what the admin plane serves`,
    ratio !== undefined,
    ratio ?? (await served()),
  );
  await sleep(15_000);
  const { spec } = await ask(deployment);
  hold(`and three looks later there are ${nodes}`, spec.replicas === nodes, `${spec.replicas} replicas`);
}

/** Seven learners are left of 38, and the window is 20 s: with figures the HPA would take nodes away within these 45 s. */
async function holdsWithoutFigures(kubelet, gateway) {
  await kubelet.replace(gateway, (flags) =>
    flags.map((flag) => (/^127\.0\.0\.1:\d+$/.test(flag) ? '127.0.0.1:9' : flag)),
  );
  const empty = await until(async () => (await items())?.length === 0, 90);
  hold('a gateway that has found no node answers with an empty list', empty === true);
  await sleep(45_000);
  const replicas = async () => (await ask(deployment)).spec.replicas;
  const why = async () => (await ask(hpaPath)).status.conditions.find(({ type }) => type === 'ScalingActive');
  const { status, reason } = await why();
  hold(
    'on an empty list the HPA takes nothing away, and says why',
    (await replicas()) === 10 && status === 'False',
    `${await replicas()} replicas; ${reason}`,
  );
  await kubelet.end(gateway);
  const dead = await until(async () => (await items()) === undefined, 60);
  await sleep(45_000);
  hold(
    'on an endpoint that is dead it takes nothing away either',
    dead === true && (await replicas()) === 10,
    `${await replicas()} replicas; ${(await why()).reason}`,
  );
  await saysItsCost();
  await kubelet.replace(gateway, (flags) => flags);
}

const cost = ({ metadata }) => Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);

/** The nodes themselves say at the API server how many sessions they have; one says nothing of another. */
async function saysItsCost() {
  const { items: pods } = await ask(podsOf('inference'));
  const told = await until(async () => {
    const { items: now } = await ask(podsOf('inference'));
    return now.reduce((sum, pod) => sum + cost(pod), 0) === 7 && now;
  }, 120);
  hold('seven sessions: what ten nodes say of their cost', told !== undefined, (told ?? pods).map(cost).join(' '));
  const [one, other] = pods.map(({ metadata }) => metadata.name);
  const token = readFileSync(join(OUT, 'accounts', one, 'token'), 'utf8');
  const patch = (name, body) => {
    const at = `${API}/api/v1/namespaces/speechfb/pods/${name}`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/merge-patch+json' };
    return fetch(at, { method: 'PATCH', headers, body: JSON.stringify({ metadata: body }) });
  };
  const [ofOther, ofLabels] = await Promise.all([
    patch(other, { annotations: { a: 'b' } }),
    patch(one, { labels: { a: 'b' } }),
  ]);
  hold(
    'no node may change another, nor its own labels',
    !ofOther.ok && !ofLabels.ok,
    `${ofOther.status}, ${ofLabels.status}`,
  );
}

/** Watches every node that goes: none may go while one that costs less stays. */
async function scalesIn() {
  const gone = new Map();
  const reached = await until(async () => {
    const { items: pods } = await ask(podsOf('inference'));
    const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    for (const pod of pods.filter((one) => !staying.includes(one)))
      if (!gone.has(pod.metadata.name)) gone.set(pod.metadata.name, [cost(pod), Math.min(...staying.map(cost))]);
    return staying.length === 2;
  }, 300);
  const seen = [...gone.values()];
  const order = seen.map(([own, least]) => `${own} of ${least}`).join(', ');
  hold(
    'figures again: no node goes while one with fewer sessions stays',
    seen.length >= 7 && seen.every(([own, least]) => own <= least),
    `cost of what went and least of what stayed: ${order}`,
  );
  await sleep(15_000);
  hold(
    '7 learners: back to 2',
    reached === true && (await ask(deployment)).spec.replicas === 2,
    `${(await ask(deployment)).spec.replicas} replicas`,
  );
}

/** Those who spoke all the time, through every node that came and went. */
async function heardAll(learners) {
  await learners.end();
  const report = JSON.parse(readFileSync(`${learners.run}/run.json`, 'utf8'));
  const { lost_frames: lost, sessions_died: died } = report.counts;
  hold(
    'nobody who spoke all the time lost a frame or a session',
    lost.count === 0 && died.count === 0,
    `${lost.count} of ${lost.of} frames, ${died.count} sessions`,
  );
}

/** Learners who read with pauses, and come again when they are refused, until `end` is called. */
function speak(url, count, name) {
  const scenario = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: ${name} }
spec:
  target: { tokenFile: ${pki('tokens')} }
  learners: { clips: ${resolve('fixtures/audio/manifest.jsonl')}, pause: 4s..8s, retry: { for: 300s, backoff: 500ms, mostBackoff: 2s } }
  load: { learners: ${count}, ramp: 2s }
  duration: 30m
  objectives: ['lost_frames == 0']
`;
  const file = join(OUT, `${name}.yaml`);
  writeFileSync(file, scenario);
  const run = join(OUT, name);
  const log = openSync(join(OUT, 'log', `${name}.log`), 'w');
  const child = startSpeechfb(['loadtest', file, '--url', url, '--out', run], { stdio: ['ignore', log, log] });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  return {
    run,
    async end() {
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
      await gone;
      clearTimeout(late);
    },
  };
}

async function readyPods(component) {
  const { items: pods } = await ask(podsOf(component));
  const isReady = ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined &&
    status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  return pods.filter(isReady).length;
}

/** The items that the API server has from the admin plane; undefined: it does not reach it. */
async function items() {
  try {
    return (await ask(metric))?.items;
  } catch {
    return undefined;
  }
}

/** The ratio that is served, as a number; undefined: none is. */
async function served() {
  const value = (await items())?.[0]?.value;
  return value === undefined ? undefined : value.endsWith('m') ? Number(value.slice(0, -1)) / 1000 : Number(value);
}

/** How many replicas there were from when on, in seconds since now. */
function watchReplicas() {
  const beganMs = performance.now();
  const seen = [];
  const timer = setInterval(async () => {
    const count = (await ask(deployment).catch(() => undefined))?.spec.replicas;
    if (count !== undefined && seen.at(-1)?.count !== count)
      seen.push({ atS: Math.round((performance.now() - beganMs) / 1000), count });
  }, 1000);
  return { seen, stop: () => clearInterval(timer) };
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return servers.map((server) => {
    const { port } = server.address();
    server.close();
    return port;
  });
}

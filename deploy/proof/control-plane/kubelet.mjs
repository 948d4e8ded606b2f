// In the places of scheduler and kubelet: nodes that stand for machines, and for each pod of speechfb a process of this machine,
// started with the very flags of the pod's container, but for where things listen and lie. A pod is ready when its process says so at
// /readyz, and gone when its process has ended after SIGTERM. There is no image, no cgroup and no network of pods.
import { copyFileSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from './assertions.mjs';
import { ask, merge } from './cluster.mjs';
import { startSpeechfb } from './processes.mjs';

const pods = '/api/v1/namespaces/speechfb/pods';
const condition = (type, status) => ({ type, status, lastTransitionTime: new Date().toISOString() });

export class Kubelet {
  #flagsOf;
  #out;
  #env;
  /** By pod: `{ process, watch, isReady, hasEnded }`. */
  #running = new Map();
  #isOver = false;
  #loop;

  /**
   * `flagsOf(pod, { args, account })` gives the flags as they stand on this machine and the URL of /readyz, or undefined for a pod that no process is
   * started for: it is ready at once. `env` is what a kubelet would set.
   */
  constructor({ flagsOf, out, env }) {
    this.#flagsOf = flagsOf;
    this.#out = out;
    this.#env = env;
  }

  async start() {
    for (const zone of zones) await registerNode(`realtime-${zone}`, zone, true);
    await registerNode('general', 'a', false);
    this.#loop = this.#run();
  }

  /** Ends every process and waits for it. */
  async stop() {
    this.#isOver = true;
    await this.#loop;
    for (const { process } of this.#running.values()) process?.kill('SIGKILL');
  }

  /** Starts the process of a pod anew, with other flags; the pod stays ready, as between two probes. */
  async replace(name, change) {
    const one = this.#running.get(name);
    await this.end(name);
    one.process = this.#spawn(name, change(one.flags));
    one.hasEnded = false;
  }

  /** Kills the process of a pod; nobody starts it again. */
  async end(name) {
    const one = this.#running.get(name);
    if (!one.hasEnded) {
      one.process.kill('SIGKILL');
      while (!one.hasEnded) await sleep(50);
    }
  }

  async #run() {
    while (!this.#isOver) {
      try {
        const { items } = await ask(pods);
        for (const pod of items) {
          if (pod.spec.nodeName === undefined) await bind(pod);
          else await this.#sync(pod);
        }
      } catch (error) {
        console.error(`the pods cannot be read: ${error.message}`);
      }
      await sleep(500);
    }
  }

  async #sync(pod) {
    const { name, deletionTimestamp } = pod.metadata;
    const one = this.#running.get(name) ?? (await this.#begin(pod));
    if (deletionTimestamp !== undefined) {
      if (!one.isTold) one.process?.kill('SIGTERM');
      one.isTold = true;
      if (one.process !== undefined && !one.hasEnded) return;
      this.#running.delete(name);
      await ask(`${pods}/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
    } else if (!one.isReady && (one.readyUrl === undefined || (await isWell(one.readyUrl)))) {
      one.isReady = true;
      await setStatus(pod, 'True');
    }
  }

  async #begin(pod) {
    const { name } = pod.metadata;
    const account = await this.#mountAccount(pod);
    const started = this.#flagsOf(pod, { args: pod.spec.containers[0].args, account });
    const one = { flags: started?.flags, readyUrl: started?.readyUrl, isReady: false, isTold: false, hasEnded: false };
    this.#running.set(name, one);
    if (started) one.process = this.#spawn(name, started.flags);
    await setStatus(pod, 'False');
    return one;
  }

  /** The folder of the pod's own account, whose token is bound to the pod; undefined where it mounts none. */
  async #mountAccount({ metadata: { name, uid }, spec }) {
    const isMounted = spec.volumes?.some(({ projected }) =>
      projected?.sources.some((source) => source.serviceAccountToken),
    );
    if (!isMounted) return undefined;
    const account = join(this.#out, 'accounts', name);
    mkdirSync(account, { recursive: true });
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name, uid };
    const request = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      spec: { expirationSeconds: 3600, boundObjectRef },
    };
    const path = `/api/v1/namespaces/speechfb/serviceaccounts/${spec.serviceAccountName}/token`;
    const { status } = await ask(path, { method: 'POST', body: request });
    writeFileSync(join(account, 'token'), status.token);
    copyFileSync(join(this.#out, 'pki/cluster.crt'), join(account, 'ca.crt'));
    return account;
  }

  #spawn(name, flags) {
    const env = { ...process.env, ...this.#env, POD_NAME: name, POD_NAMESPACE: 'speechfb' };
    const child = startSpeechfb(flags, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const log = createWriteStream(join(this.#out, 'log', `${name}.log`), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on('exit', () => {
      const one = this.#running.get(name);
      if (one?.process === child) one.hasEnded = true;
    });
    return child;
  }
}

const zones = ['a', 'b', 'c'];
let bound = 0;

/** Puts a pod on a machine of the kind that it asks for, in one zone after another. */
async function bind({ metadata: { name }, spec }) {
  const isRealtime = spec.nodeSelector?.['speechfb.dev/realtime'] === 'true';
  const target = { kind: 'Node', name: isRealtime ? `realtime-${zones[bound++ % zones.length]}` : 'general' };
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
  await ask(`${pods}/${name}/binding`, { method: 'POST', body: binding });
}

async function isWell(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

function setStatus(pod, ready) {
  const { name } = pod.metadata;
  const running = { running: { startedAt: new Date().toISOString() } };
  const containerStatuses = pod.spec.containers.map(({ name, image }) => {
    return {
      name,
      image,
      imageID: image,
      ready: ready === 'True',
      started: ready === 'True',
      restartCount: 0,
      state: running,
    };
  });
  const conditions = [condition('Initialized', 'True'), condition('ContainersReady', ready), condition('Ready', ready)];
  const status = { phase: 'Running', startTime: pod.metadata.creationTimestamp, containerStatuses, conditions };
  return merge(`${pods}/${name}/status`, { status });
}

async function registerNode(name, zone, isRealtime) {
  const labels = {
    'kubernetes.io/hostname': name,
    'topology.kubernetes.io/zone': zone,
    ...(isRealtime && { 'speechfb.dev/realtime': 'true' }),
  };
  const taints = [{ key: 'speechfb.dev/realtime', value: 'true', effect: 'NoSchedule' }];
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: isRealtime ? { taints } : {} };
  await ask('/api/v1/nodes', { method: 'POST', body: node });
  // A new node has a taint until somebody has seen it ready, which is done here.
  await merge(`/api/v1/nodes/${name}`, { spec: isRealtime ? { taints } : { taints: null } });
  const room = { cpu: '64', memory: '256Gi', pods: '110' };
  await merge(`/api/v1/nodes/${name}/status`, {
    status: { capacity: room, allocatable: room, conditions: [condition('Ready', 'True')] },
  });
}

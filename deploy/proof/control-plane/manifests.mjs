// Every manifest that `speechfb deploy` writes, and the chart, held against a real API server with strict validation.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hold, until } from './assertions.mjs';
import { ask, kubectl } from './cluster.mjs';

const { OUT, CACHE } = process.env;
const shipped = {
  capacity: readFileSync('capacity/live-class.yaml', 'utf8'),
  values: readFileSync('deploy/values.yaml', 'utf8'),
};
const regions = ['eu', 'us'];

const deployments = {
  'as it ships': {},
  'by KEDA': { capacity: ['scaling: {', 'scaling: {kind: keda, '], values: ['autoscaler: hpa', 'autoscaler: keda'] },
  'by Argo Rollouts': { values: ['rollout: job', 'rollout: rollouts'] },
  'blue and green': { values: ['rollout: job', 'rollout: blue-green'] },
  'half on spot': {
    capacity: [
      'share: 70%}',
      'share: 70%, spot: {share: 50%, price: $0.80/h, loss: 5%, sure: 99.9%, lossPerHour: 5%, notice: 2m}}',
    ],
    values: [/$/, '  spot: {floor: 30%}\n'],
  },
  'in two regions': {
    capacity: [
      /$/,
      `  regions:\n${regions.map((name) => `    - {name: ${name}, share: 50%, pinned: true}\n`).join('')}`,
    ],
    values: [
      /$/,
      `  regions:\n${regions.map((name) => `    - {name: ${name}, residency: stays, cluster: ${name}-1}\n`).join('')}`,
    ],
  },
  'on GPUs': { values: ['inference: {drain: 60s}', 'inference: {cpu: 8, memory: 16Gi, gpus: 1, drain: 90s}'] },
};

export function takesManifests() {
  for (const [name, change] of Object.entries(deployments)) takesDeployment(name, change);
  takesChart();
  refusesMistakes();
}

/** The definitions that Go types of the four projects make; those of Kubernetes the server has. */
export async function installKinds() {
  kubectl(['create', 'namespace', 'speechfb']);
  const applied = kubectl(['apply', '--server-side', '-f', join(CACHE, 'crds')]);
  const named = applied.said.split('\n').filter((line) => line.startsWith('customresourcedefinition'));
  const established = await until(async () => {
    const { items } = await ask('/apis/apiextensions.k8s.io/v1/customresourcedefinitions');
    const isThere = ({ status }) =>
      status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
    return items.length > 0 && items.every(isThere) && items.length;
  }, 60);
  hold(
    'the kinds of Gateway API, Prometheus operator, Argo Rollouts and KEDA',
    applied.status === 0 && established,
    `${named.length} definitions${applied.status === 0 ? '' : `; ${applied.said.slice(-400)}`}`,
  );
}

function takesDeployment(name, { capacity, values }) {
  const folder = join(OUT, 'deployments', name.replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  const written = (file, text, change) => {
    writeFileSync(join(folder, file), change ? text.replace(...change) : text);
    return join(folder, file);
  };
  const manifests = join(folder, 'manifests');
  const from = [
    '--capacity',
    written('capacity.yaml', shipped.capacity, capacity),
    '--values',
    written('values.yaml', shipped.values, values),
  ];
  const deploy = spawnSync(
    'node',
    ['bin/speechfb', 'deploy', ...from, '--slo', 'live-feedback', '--canary', 'canary', '--out', manifests],
    { encoding: 'utf8' },
  );
  if (deploy.status !== 0) return hold(`the deployment ${name}`, false, deploy.stderr);
  const roots = existsSync(join(manifests, 'kustomization.yaml'))
    ? [manifests]
    : regions.map((region) => join(manifests, region));
  const said = roots.flatMap((root) => [
    dryRun(['-k', root]),
    ...readdirSync(root)
      .filter((file) => file.startsWith('canary-'))
      .map((file) => dryRun(['-f', join(root, file)])),
  ]);
  holdTaken(`the deployment ${name}`, said);
}

function takesChart() {
  if (!existsSync(join(CACHE, 'bin/helm'))) {
    console.log('SKIPPED: the chart: there is no helm (sh deploy/proof/tools.sh helm)');
    return;
  }
  const said = [0, 1, 2, 3].map((step) => {
    const args = ['template', 'speechfb', 'deploy/chart', '--namespace', 'speechfb', '--set', `canaryStep=${step}`];
    const { stdout } = spawnSync(join(CACHE, 'bin/helm'), args, { encoding: 'utf8' });
    return dryRun(['-f', '-'], stdout);
  });
  holdTaken('the chart, at each step of its canary', said);
}

function refusesMistakes() {
  const manifest = (deployment, file) => readFileSync(join(OUT, 'deployments', deployment, 'manifests', file), 'utf8');
  for (const [what, deployment, file, from, to] of [
    ['an HPA with a misspelt key', 'as-it-ships', 'autoscaling.yaml', 'maxReplicas:', 'maxReplica:'],
    [
      'a fallback that KEDA does not know',
      'by-KEDA',
      'autoscaling.yaml',
      'currentReplicasIfHigher',
      'currentReplicasIfBusy',
    ],
    ['a Rollout with a misspelt step', 'by-Argo-Rollouts', 'gateway.yaml', 'setWeight:', 'setWeigth:'],
    ['a route with a weight that is no number', 'as-it-ships', 'canary-1.yaml', 'weight: 95', 'weight: most'],
    [
      'a key of a container that there is not',
      'as-it-ships',
      'inference.yaml',
      'readOnlyRootFilesystem',
      'readOnlyRoot',
    ],
  ]) {
    const text = manifest(deployment, file);
    const { status, said } = dryRun(['-f', '-'], text.replace(from, to));
    const reason =
      said
        .replace(/:\s*\n\s*/g, ': ')
        .split('\n')
        .find((line) => /error|invalid|unknown|unsupported/i.test(line)) ?? said;
    hold(`refused: ${what}`, text.includes(from) && status !== 0, reason.slice(0, 220));
  }
}

function dryRun(from, input) {
  return kubectl(['apply', '--dry-run=server', '--validate=strict', ...from], input);
}

function holdTaken(what, answers) {
  const taken = answers.flatMap(({ said }) =>
    said.split('\n').filter((line) => line.endsWith('(server dry run)')),
  ).length;
  const refused = answers
    .filter(({ status }) => status !== 0)
    .map(({ said }) => said.replace(/^.*\(server dry run\)\n?/gm, ''));
  hold(
    what,
    refused.length === 0 && taken > 0,
    `${taken} resources${refused.length === 0 ? '' : `; ${refused.join('; ').slice(0, 1500)}`}`,
  );
}

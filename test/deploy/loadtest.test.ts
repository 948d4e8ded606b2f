import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { prepareLoad } from '../../src/load/scenario/prepare.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

type Container = {
  image: string;
  command: string[];
  args: string[];
  env: { name: string; value: string }[];
  resources: { requests: object; limits: Record<string, string> };
  securityContext: object;
  volumeMounts: { name: string; mountPath: string }[];
};
type Job = {
  metadata: { name: string };
  spec: {
    completionMode?: string;
    completions: number;
    parallelism?: number;
    backoffLimit: number;
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        restartPolicy: string;
        securityContext: { runAsNonRoot: boolean };
        containers: Container[];
        volumes: { name: string; configMap?: { name: string }; persistentVolumeClaim?: { claimName: string } }[];
      };
    };
  };
};

const folder = 'deploy/loadtest';
const read = (file: string) => parse(readFileSync(join(folder, file), 'utf8'));
const shards: Job = read('shards.yaml');
const merge: Job = read('merge.yaml');
const containerOf = (job: Job) => job.spec.template.spec.containers[0]!;
const envOf = (job: Job) => Object.fromEntries(containerOf(job).env.map(({ name, value }) => [name, value]));

describe.each([
  ['shards.yaml', shards],
  ['merge.yaml', merge],
])('%s', (file, job) => {
  it('is a Job that runs once, as nobody in particular', () => {
    expect(read(file)).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job' });
    expect(job.metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    expect(job.spec).toMatchObject({ backoffLimit: 0, template: { spec: { restartPolicy: 'Never' } } });
    expect(job.spec.template.spec.securityContext.runAsNonRoot).toBe(true);
    expect(containerOf(job).securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
    expect(containerOf(job).resources.limits).not.toHaveProperty('cpu');
  });

  it('mounts only volumes that it has, and has only volumes that it mounts', () => {
    const { volumes } = job.spec.template.spec;
    const mounted = containerOf(job).volumeMounts.map(({ name }) => name);
    expect(new Set(mounted)).toEqual(new Set(volumes.map(({ name }) => name)));
    const claim = volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim)?.persistentVolumeClaim?.claimName;
    expect(claim).toBe(read('results.yaml').metadata.name);
  });
});

it('there are as many pods as shards, all at once', () => {
  const { completionMode, completions, parallelism } = shards.spec;
  expect(completionMode).toBe('Indexed');
  expect([completions, parallelism]).toEqual([Number(envOf(shards).SHARDS), completions]);
  expect(envOf(merge).RUN).toBe(envOf(shards).RUN);
});

it('run.sh fills in what it means to', () => {
  const script = readFileSync(join(folder, 'run.sh'), 'utf8');
  expect(spawnSync('sh', ['-n', join(folder, 'run.sh')]).status).toBe(0);
  expect(script).toContain(`value: ${envOf(shards).RUN}`);
  expect(script).toContain(`${envOf(shards).START_AT}`);
  expect(readFileSync(join(folder, 'shards.yaml'), 'utf8')).toContain(`value: ${envOf(shards).RUN} }`);
});

it('the scenario is valid from where it stands, here and in the image, and every shard has its part of it', () => {
  const scenario = readScenario(join(folder, 'scenario.yaml'));
  const { whole } = prepareLoad(scenario);
  const parts = [1, 2, 3, 4].map((index) => prepareLoad(scenario, { index, count: 4 }).plans.length);
  expect(parts.reduce((sum, count) => sum + count, 0)).toBe(whole.sessions);
  expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
  const mount = containerOf(shards).volumeMounts.find(({ name }) => name === 'scenario');
  expect(mount?.mountPath).toBe(`/app/${folder}/scenario.yaml`);
  expect(containerOf(shards).args[0]).toContain(mount!.mountPath);
});

/** Runs a container's command with a `node` that writes down its arguments and ends as told. */
function runCommand(job: Job, env: Record<string, string>, exitCode: number) {
  const bin = temporaryDirectory();
  writeFileSync(join(bin, 'node'), `#!/bin/sh\necho "$@"\nexit ${exitCode}\n`);
  chmodSync(join(bin, 'node'), 0o755);
  const { command, args } = containerOf(job);
  const results = join(bin, 'results');
  mkdirSync(join(results, 'run-1', 'shard-0'), { recursive: true });
  mkdirSync(join(results, 'run-1', 'shard-1'));
  const script = args[0]!.replaceAll('/results', results);
  const ended = spawnSync(command[0]!, [...command.slice(1), script], {
    env: { ...envOf(job), ...env, PATH: `${bin}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  return { code: ended.status, said: ended.stdout.replaceAll(results, '/results').trim() };
}

describe('the command of a pod', () => {
  it.each([
    ['0', '1/4'],
    ['3', '4/4'],
  ])('with completion index %s runs shard %s', (JOB_COMPLETION_INDEX, shard) => {
    expect(runCommand(shards, { JOB_COMPLETION_INDEX }, 0)).toEqual({
      code: 0,
      said: `/app/bin/speechfb loadtest /app/deploy/loadtest/scenario.yaml --shard ${shard} --start-at 2030-01-01T00:00:00Z --out /results/run-1/shard-${JOB_COMPLETION_INDEX}`,
    });
  });

  it.each([
    [99, 0],
    [98, 0],
    [2, 2],
    [1, 1],
    [130, 130],
  ])('that ends with %d ends the pod with %d', (given, expected) => {
    expect(runCommand(shards, { JOB_COMPLETION_INDEX: '0' }, given).code).toBe(expected);
  });

  it('that merges takes every shard, and ends with its verdict', () => {
    expect(runCommand(merge, {}, 99)).toEqual({
      code: 99,
      said: '/app/bin/speechfb merge /results/run-1/shard-0 /results/run-1/shard-1 --out /results/run-1/whole',
    });
  });
});

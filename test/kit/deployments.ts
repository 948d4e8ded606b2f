import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readDeployInputs } from '../../src/commands/deploy/read.ts';
import { type DeploymentPlan, planDeployment } from '../../src/deploy/deployment.ts';
import { plainManifests } from '../../src/deploy/output.ts';
import type { Manifest } from './kubernetes-models.ts';

/** Files that ship, to be changed by a test before they are read. */
export type Sources = { capacity: string; slo: string; canary?: string; values: string; curve?: string };

export function shippedSources(): Required<Omit<Sources, 'curve'>> {
  const read = (path: string) => readFileSync(path, 'utf8');
  return {
    capacity: read('capacity/live-class.yaml'),
    slo: read('slo/live-feedback.yaml'),
    canary: read('slo/canary.yaml'),
    values: read('deploy/values.yaml'),
  };
}

/** Lays the sources into a folder and plans what they say; relative names keep places short. */
export function planOf(folder: string, { capacity, slo, canary, values, curve }: Sources): DeploymentPlan {
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const { inputs, extras } = readDeployInputs({
    capacity: file('capacity.yaml', capacity),
    slo: file('slo.yaml', slo),
    ...(canary !== undefined && { canary: file('canary.yaml', canary) }),
    values: file('values.yaml', values),
    ...(curve !== undefined && { curve: file('curve.json', curve) }),
    format: 'manifests',
  });
  return planDeployment(inputs, extras);
}

/** All manifests as they are written and read again. */
export function manifestsOf(plan: DeploymentPlan): Manifest[] {
  return plainManifests(plan).files.flatMap(({ path, text }) =>
    path.endsWith('kustomization.yaml') ? [] : parseAllDocuments(text).map((document) => document.toJS() as Manifest),
  );
}

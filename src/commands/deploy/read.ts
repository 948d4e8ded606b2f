import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { curveFileFor } from '../../capacity/scenario/curve.ts';
import { parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { parseConfig } from '../../config/yaml.ts';
import type { DeployExtras } from '../../deploy/deployment.ts';
import type { Tree } from '../../deploy/document/figure.ts';
import { limitOf } from '../../deploy/plan/contradictions.ts';
import { type DeployInputs, promiseOf } from '../../deploy/plan/inputs.ts';
import { deployValuesFile } from '../../deploy/values/values.ts';
import { SpeechfbError } from '../../errors.ts';
import { canaryFile, canaryOf } from '../../slo/canary/canary.ts';
import { serviceLevelFile, serviceLevelOf } from '../../slo/service-level/service-level.ts';
import { readCapacityScenario, readCurve } from '../capacity/read.ts';
import { labelOf, packageFolder, shippedOr } from '../shipped.ts';
import type { DeployFlags } from './flags.ts';

/** Reads all files of a deployment; each error names its place. */
export function readDeployInputs(flags: DeployFlags): { inputs: DeployInputs; extras: DeployExtras } {
  const { document, inputs } = readCapacityScenario(flags.capacity, undefined);
  const slo = only(flags.slo, 'service level', 'ServiceLevel', serviceLevelFile);
  const canary =
    flags.canary === undefined ? undefined : only(flags.canary, 'canary analysis', 'CanaryAnalysis', canaryFile);
  const values = readValues(flags.values);
  const located = { value: serviceLevelOf(slo.document.value), at: slo.document.at };
  return {
    inputs: {
      capacity: {
        name: document.name || document.value.metadata.name,
        value: document.value.spec,
        at: document.at,
        inputs,
      },
      slo: located,
      canary: canary && { value: canaryOf(canary.document.value), at: canary.document.at },
      curve: flags.curve === undefined ? undefined : readMeasured(flags.curve, document.value.spec.pod, located),
      values: { name: values.value.metadata.name, value: values.value.spec, at: values.at },
    },
    extras: {
      canaryText: canary?.source,
      serviceRules: (parse(readText(shippedRules, 'rule file')) as { groups: Tree }).groups,
    },
  };
}

const shippedRules = join(packageFolder, 'deploy/observability/service.rules.yaml');

function readValues(given: string | undefined) {
  const file = given ?? join(packageFolder, 'deploy/values.yaml');
  return one(
    file,
    parseDocuments(labelOf(file), readText(file, "deployment's values"), 'DeployValues', deployValuesFile),
  );
}

function only<S extends z.ZodType>(
  given: string,
  what: 'service level' | 'canary analysis',
  kind: 'ServiceLevel' | 'CanaryAnalysis',
  schema: S,
) {
  const file = shippedOr(what, given);
  const source = readText(file, what);
  return { document: one(file, parseDocuments(labelOf(file), source, kind, schema)), source };
}

function one<T extends { name: string }>(file: string, documents: readonly T[]): T {
  if (documents.length === 1) return documents[0]!;
  const names = documents.map(({ name }) => name).join(', ');
  throw new SpeechfbError('bad_flag', `${file} has ${documents.length} documents of one kind: ${names}`, {
    hint: 'a deployment takes one; leave it alone in a file',
  });
}

/** The curve must have the percentile that decides; where none does, it is refused later. */
function readMeasured(
  path: string,
  pod: DeployInputs['capacity']['value']['pod'],
  slo: DeployInputs['slo'],
): DeployInputs['curve'] {
  const limit = limitOf(pod.profile?.slo, promiseOf(slo)) ?? { percentile: 95, valueMs: 0 };
  const { points } = parseConfig(path, readCurve(path), curveFileFor(limit));
  return { value: points, at: () => path };
}

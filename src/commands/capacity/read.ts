import { dirname, join, resolve } from 'node:path';
import { planCapacity } from '../../capacity/plan/plan.ts';
import type { CapacityResult } from '../../capacity/plan/result.ts';
import type { PlanInputs } from '../../capacity/plan/sizes.ts';
import { curveFileFor } from '../../capacity/scenario/curve.ts';
import { capacityScenario } from '../../capacity/scenario/scenario.ts';
import type { CapacitySpec } from '../../capacity/scenario/spec.ts';
import { parseUsersCsv } from '../../capacity/scenario/users-csv.ts';
import { type ConfigDocument, parseDocuments } from '../../config/documents.ts';
import { isDirectory } from '../../config/file-kind.ts';
import { overrideField } from '../../config/override.ts';
import { readText } from '../../config/read-chunks.ts';
import { parseConfig } from '../../config/yaml.ts';
import { SpeechfbError } from '../../errors.ts';
import { labelOf, shippedOr } from '../shipped.ts';
import { playProgress } from './play-progress.ts';

export type ReadOptions = {
  name?: string | undefined;
  seed?: number | undefined;
  /** A field set to another value than the file says. */
  override?: { key: string; value: string | number };
};

/** Reads a scenario and the files that it names, and plans it. */
export function planFile(given: string, { name, seed, override }: ReadOptions): CapacityResult {
  const file = shippedOr('capacity scenario', given);
  const written = readText(file, 'scenario');
  const source = override ? overrideField(written, 'CapacityScenario', override.key, override.value) : written;
  const label = override ? `${file} with ${override.key}=${override.value}` : file;
  const document = choose(file, parseDocuments(label, source, 'CapacityScenario', capacityScenario), name);
  const { spec } = document.value;
  if (seed !== undefined) spec.simulation.seed = seed;
  return planCapacity(document.name || document.value.metadata.name, spec, readInputs(file, spec), playProgress());
}

type Scenario = ConfigDocument<{ metadata: { name: string }; spec: CapacitySpec }>;

function choose(file: string, documents: readonly Scenario[], name: string | undefined): Scenario {
  const named = documents.filter((each) => name === undefined || each.name === name);
  if (named.length === 1) return named[0]!;
  const names = documents.map((each) => each.name).join(', ');
  const message =
    name === undefined ? `${file} has ${documents.length} scenarios` : `${file} has no scenario "${name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}

/** A scenario, where its parts stand, and the files that it names. */
export function readCapacityScenario(
  given: string,
  name: string | undefined,
): { document: ConfigDocument<{ metadata: { name: string }; spec: CapacitySpec }>; inputs: PlanInputs } {
  const file = shippedOr('capacity scenario', given);
  const source = readText(file, 'scenario');
  const document = choose(file, parseDocuments(labelOf(file), source, 'CapacityScenario', capacityScenario), name);
  return { document, inputs: readInputs(file, document.value.spec) };
}

/** Paths are relative to the scenario. */
function readInputs(file: string, { demand, pod }: CapacitySpec): PlanInputs {
  const beside = (path: string) => resolve(dirname(file), path);
  const csv = demand.usersByMinute;
  const users = csv === undefined ? undefined : parseUsersCsv(csv, readText(beside(csv), 'curve of users'));
  const path = pod.profile?.curve;
  if (path === undefined) return { users };
  const { percentile, value } = pod.profile!.slo;
  const { points } = parseConfig(path, readCurve(beside(path)), curveFileFor({ percentile, valueMs: value }));
  return { users, curve: points };
}

/** A curve's text; of a directory that `loadtest --find-capacity --out` wrote, the curve in it. */
export function readCurve(path: string): string {
  return readText(isDirectory(path) ? join(path, 'curve.json') : path, 'measured curve', curveHint);
}

const curveHint =
  'speechfb loadtest SCENARIO --find-capacity --out DIR writes one: curve: DIR, relative to the scenario';

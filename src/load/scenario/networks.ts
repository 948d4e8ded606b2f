import { dirname, resolve } from 'node:path';
import { readText } from '../../config/read-chunks.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { namedNetwork } from '../../sim/networks/index.ts';
import { resolveNetworks } from '../../sim/networks/resolve.ts';
import type { NetworksMap } from '../../sim/networks/schema.ts';
import { parseMahimahi } from '../../sim/profile/mahimahi.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import type { Weight } from './fields.ts';
import { canonicalName } from './network-names.ts';
import type { LoadScenario } from './scenario.ts';

export type MixedNetworks = {
  /** Every network of the mix under its own name, but `none`. */
  networks: Record<string, NetworkProfile>;
  mix: { network: string; weight: number }[];
};

/**
 * The networks of a scenario's mix, traces read; what is wrong with a trace is added to `problems`.
 */
export function readNetworks({ spec, file, at }: LoadScenario, problems: Problem[]): MixedNetworks {
  const own = spec.networks ?? {};
  const traces = readTraces(own, dirname(file), (path, error) => problems.push(...problemsAt(at(path), error)));
  const resolved = resolveNetworks(own, (name) => traces.get(name) ?? [1]);
  const mix = (spec.mix ?? []).map(({ network, weight }) => ({
    network: canonicalName(own, network),
    weight: weight.value,
  }));
  const used = mix.flatMap(({ network }) => resolved.get(network) ?? namedNetwork(network) ?? []);
  return { networks: Object.fromEntries(used.map((profile) => [profile.name, profile])), mix };
}

/**
 * An error as the problems of one place: its own where it has some that know theirs, or its
 * sentence.
 */
export function problemsAt(where: string, error: unknown): Problem[] {
  if (!(error instanceof SpeechfbError)) throw error;
  return error.problems.length > 0 ? [...error.problems] : [{ where, message: error.message }];
}

type Weighted = { weight?: Weight | undefined };

/** The plain numbers of checked weights; one that is left out counts 1. */
export function plainWeight({ weight }: Weighted): number {
  return weight?.value ?? 1;
}

function readTraces(
  networks: NetworksMap,
  directory: string,
  onProblem: (path: PropertyKey[], error: unknown) => void,
): Map<string, readonly number[]> {
  const traces = new Map<string, readonly number[]>();
  for (const [name, { trace, up, down }] of Object.entries(networks)) {
    const places = [
      { path: ['trace', 'file'], file: trace?.file },
      { path: ['up', 'trace', 'file'], file: up?.trace?.file },
      { path: ['down', 'trace', 'file'], file: down?.trace?.file },
    ];
    for (const { path, file } of places) {
      if (file === undefined) continue;
      try {
        traces.set(file, readTrace(resolve(directory, file)));
      } catch (error) {
        onProblem(['spec', 'networks', name, ...path], error);
      }
    }
  }
  return traces;
}

/** A Mahimahi trace. Errors: `unreadable_file`, `bad_config`. */
export function readTrace(file: string): readonly number[] {
  return parseMahimahi(file, readText(file, 'trace'));
}

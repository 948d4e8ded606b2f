import { dirname, resolve } from 'node:path';
import { readText } from '../../config/read-chunks.ts';
import { badConfig, parseConfig } from '../../config/yaml.ts';
import { readTrace } from '../../load/scenario/networks.ts';
import { readScenario } from '../../load/scenario/scenario.ts';
import { type ReadTrace, resolveNetworks } from '../../sim/networks/resolve.ts';
import { type NetworksMap, networksFile } from '../../sim/networks/schema.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';

/**
 * The networks of a YAML file, in its order: of a file of networks, or those that a LoadScenario
 * brings along. Throws `bad_config`, `unreadable_file`.
 */
export function readNetworksFile(file: string): Map<string, NetworkProfile> {
  return resolveNetworks(writtenIn(file), traceReader(dirname(file)));
}

/** Reads Mahimahi traces, paths relative to `directory`. */
export function traceReader(directory: string): ReadTrace {
  return (file) => readTrace(resolve(directory, file));
}

function writtenIn(file: string): NetworksMap {
  const source = readText(file, 'networks');
  if (!/^kind:\s*LoadScenario\b/m.test(source)) return parseConfig(file, source, networksFile).networks;
  const { networks } = readScenario(file).spec;
  if (networks && Object.keys(networks).length > 0) return networks;
  throw badConfig(file, [{ where: `${file}:1:1`, message: 'this scenario brings no networks of its own' }]);
}

import { dirname, resolve } from 'node:path';
import { readText } from '../config/read-chunks.ts';
import { parseConfig } from '../config/yaml.ts';
import { parseMahimahi } from '../sim/mahimahi.ts';
import { networksFile } from '../sim/network-schema.ts';
import type { NetworkProfile } from '../sim/profile.ts';
import { type ReadTrace, resolveNetworks } from '../sim/resolve-networks.ts';

/** The networks of a YAML file, in its order. Throws `bad_config`, `unreadable_file`. */
export function readNetworks(file: string): Map<string, NetworkProfile> {
  const { networks } = parseConfig(file, readText(file, 'networks'), networksFile);
  return resolveNetworks(networks, traceReader(dirname(file)));
}

/** Reads Mahimahi traces, paths relative to `directory`. */
export function traceReader(directory: string): ReadTrace {
  return (file) => {
    const path = resolve(directory, file);
    return parseMahimahi(path, readText(path, 'trace'));
  };
}

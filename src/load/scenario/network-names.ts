import { ownName } from '../../sim/profile/network-extends.ts';
import type { NetworksMap } from '../../sim/profile/network-schema.ts';
import { namedNetwork } from '../../sim/profile/networks/index.ts';
import { noNetwork } from '../plan/plan.ts';

/** The name as the scenario or the list of built-in networks writes it, whatever its case. */
export function canonicalName(own: NetworksMap, name: string): string {
  return name === noNetwork ? name : (ownName(own, name) ?? namedNetwork(name)?.name ?? name);
}

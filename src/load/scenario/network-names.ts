import { ownName } from '../../sim/networks/extends.ts';
import { namedNetwork } from '../../sim/networks/index.ts';
import type { NetworksMap } from '../../sim/networks/schema.ts';
import { directNetwork } from '../plan/learner-plan.ts';

/** The name as the scenario or the list of built-in networks writes it, whatever its case. */
export function canonicalName(own: NetworksMap, name: string): string {
  return name === directNetwork ? name : (ownName(own, name) ?? namedNetwork(name)?.name ?? name);
}

import { chainFrom } from './chain.ts';
import type { RoutedBackend, RoutingRule } from './spec.ts';

/** Whether somebody could hear the sessions of a rule that spills, whichever way they are drawn. */
export function checkSpill(
  { needs, to }: Pick<RoutingRule, 'needs' | 'to'>,
  chained: readonly RoutedBackend[],
  refuse: (message: string) => void,
): void {
  if (Array.isArray(needs) && needs.includes('phones')) refuse('its sessions need phones, and would go without them');
  for (const [name, share] of Object.entries(to))
    if (share > 0 && chainFrom(name, chained).every(({ kind }) => kind === 'local'))
      refuse(`"${name}" falls back to nobody else, so that nobody hears its sessions when our own places are taken`);
}

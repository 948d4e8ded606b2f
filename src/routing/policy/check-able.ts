import { didYouMean } from '../../suggest.ts';
import { canDo } from './capabilities.ts';
import { chainFrom } from './chain.ts';
import type { RoutedBackend, RoutingRule, When } from './spec.ts';

export type Refuse = (path: PropertyKey[], message: string) => void;

/**
 * Whether every backend that sessions of a rule can come to from `name` on can do what they need.
 */
export function checkAble(
  { name, chained }: { name: string; chained: readonly RoutedBackend[] },
  demand: Pick<RoutingRule, 'needs'> & { when?: When | undefined },
  refuse: (message: string) => void,
): void {
  for (const backend of chainFrom(name, chained)) {
    const who = backend.name === name ? `"${name}"` : `"${backend.name}", where "${name}" falls back to,`;
    for (const problem of inabilities(backend, demand)) refuse(`${who} ${problem}`);
  }
}

export function unknownBackend(name: string, backends: readonly RoutedBackend[]): string {
  const names = backends.map((backend) => backend.name);
  return `"${name}" is no backend${didYouMean(name, names)}; there are ${names.join(', ')}`;
}

function inabilities(
  { kind, languages }: RoutedBackend,
  { when, needs }: Pick<RoutingRule, 'needs'> & { when?: When | undefined },
): string[] {
  const lacking = (Array.isArray(needs) ? needs : [])
    .filter((need) => !canDo(kind, need))
    .map((need) => `is of kind ${kind}, which has no ${need}`);
  if (languages === undefined) return lacking;
  const foreign = when?.language?.filter((one) => !languages.includes(one));
  if (foreign === undefined)
    return [...lacking, `understands ${languages.join(', ')} alone, and the rule is for every language`];
  return foreign.length > 0 ? [...lacking, `does not understand ${foreign.join(', ')}`] : lacking;
}

import type { CanarySpec } from './canary.ts';
import { chainFrom } from './chain.ts';
import { checkAble, type Refuse, unknownBackend } from './check-able.ts';
import { placeOf } from './connection.ts';
import type { ShadowSpec } from './shadow.ts';
import type { RoutedBackend, RoutingRule } from './spec.ts';

type Variants = { canary?: CanarySpec | undefined; shadow?: ShadowSpec | undefined };

/** Whether canary and shadow name backends that are there and can do what comes to them. */
export function checkVariants(
  { canary, shadow }: Variants,
  rules: readonly RoutingRule[],
  { backends, chained }: { backends: readonly RoutedBackend[]; chained: readonly RoutedBackend[] },
  refuse: Refuse,
): void {
  const isKnown = (path: PropertyKey[], name: string): boolean => {
    if (backends.some((backend) => backend.name === name)) return true;
    refuse(path, unknownBackend(name, backends));
    return false;
  };
  if (shadow && isKnown(['shadow', 'to'], shadow.to)) {
    const { kind, model } = backends.find(({ name }) => name === shadow.to)!;
    const served = rules.flatMap(({ to }) => Object.keys(to).filter((name) => to[name]! > 0));
    if (canary) served.push(canary.to);
    if (kind === 'local' && !isScoredByAnother(model, { served, backends }))
      refuse(['shadow', 'to'], hearsAnyhow(shadow.to, model));
    if (served.length > 0 && served.every((name) => name === shadow.to))
      refuse(['shadow', 'to'], `every rule gives its sessions to "${shadow.to}": there is nobody to hear it beside`);
  }
  if (!canary) return;
  const known = (['from', 'to'] as const).map((end) => isKnown(['canary', end], canary[end]));
  if (known.includes(false)) return;
  if (canary.from === canary.to) {
    refuse(['canary', 'to'], `is "${canary.from}", as from is: nothing differs`);
    return;
  }
  const [from, to] = [canary.from, canary.to].map((end) => backends.find(({ name }) => name === end)!);
  // A scripted one stands for something else, in tests.
  if (from!.kind !== 'scripted' && placeOf(from!) === placeOf(to!)) {
    refuse(['canary', 'to'], `"${canary.to}" is reached and asked just as "${canary.from}": nothing differs`);
    return;
  }
  const sending = rules.filter(({ to }) => (to[canary.from] ?? 0) > 0);
  if (sending.length === 0)
    refuse(['canary', 'from'], `no rule gives sessions to "${canary.from}": the canary would have none`);
  if (chained.length === 0) return;
  for (const { name, when, needs } of sending)
    checkAble({ name: canary.to, chained }, { when, needs }, (message) =>
      refuse(['canary', 'to'], `${message} (rule "${name}")`),
    );
}

/** Whether sessions have their phones from a model of ours that is not this one. */
function isScoredByAnother(
  model: string | undefined,
  { served, backends }: { served: readonly string[]; backends: readonly RoutedBackend[] },
): boolean {
  return served.some((name) => {
    const scorer = chainFrom(name, backends).find(({ kind }) => kind === 'local');
    return scorer?.model !== model;
  });
}

function hearsAnyhow(name: string, model: string | undefined): string {
  const which = model === undefined ? 'the own model' : `the model ${JSON.stringify(model)}`;
  return `"${name}" is ${which}, which hears every session anyhow; name another`;
}

import type { z } from 'zod';
import { shown } from '../../config/fields.ts';
import { isReachable } from './box.ts';
import { isSelfHosted } from './capabilities.ts';
import { checkAble, type Refuse, unknownBackend } from './check-able.ts';
import { checkSpill } from './check-spill.ts';
import { checkVariants } from './check-variants.ts';
import type { PolicySpec, RoutedBackend, RoutingRule } from './spec.ts';

/**
 * What no single field can see: of the backends once their own fields are right, and of the rules
 * once all fields are.
 */
export function checkPolicy(spec: PolicySpec, context: z.RefinementCtx): void {
  const refuse: Refuse = (path, message) => context.addIssue({ code: 'custom', path, message });
  const backends = listOf<RoutedBackend>(spec?.backends);
  const rules = listOf<RoutingRule>(spec?.rules);
  const failed = new Set(context.issues.map(({ path }) => `${path?.[0] as string}`));
  checkNames(backends, 'backends', 'backend', refuse);
  checkNames(rules, 'rules', 'rule', refuse);
  if (backends.length === 0 || failed.has('backends')) return;
  checkModels(backends, refuse);
  const sound = checkFallbacks(backends, refuse);
  // A rule that could not be read fits too much.
  if (failed.has('rules')) return;
  const chained = sound ? backends : [];
  for (const [index, rule] of rules.entries()) checkRule(rule, index, chained, backends, refuse);
  const { canary, shadow } = spec;
  checkVariants(
    { canary: failed.has('canary') ? undefined : canary, shadow: failed.has('shadow') ? undefined : shadow },
    rules,
    { backends, chained },
    refuse,
  );
  checkReach(rules, refuse);
}

function checkNames(named: readonly { name?: string }[], list: string, thing: string, refuse: Refuse): void {
  const seen = named.map(({ name }) => name);
  for (const [index, name] of seen.entries())
    if (typeof name === 'string' && seen.indexOf(name) < index)
      refuse([list, index, 'name'], `"${name}" is the name of another ${thing}`);
}

/**
 * Two backends of one model of ours are two bounds, or two chains, on the same thing, or they are
 * nothing.
 */
function checkModels(backends: readonly RoutedBackend[], refuse: Refuse): void {
  const boundsOf = ({ model, languages = [], maxSessions, most, fallback }: RoutedBackend): string =>
    JSON.stringify([model ?? null, languages.toSorted(), maxSessions ?? null, most ?? null, fallback ?? null]);
  for (const [index, backend] of backends.entries()) {
    if (backend.kind !== 'local') continue;
    const same = backends.find((one, at) => one.kind === 'local' && at < index && boundsOf(one) === boundsOf(backend));
    if (!same) continue;
    const which = backend.model === undefined ? 'the own model (serve --model)' : `the model ${shown(backend.model)}`;
    const message =
      `"${backend.name}" is ${which}, as "${same.name}" is, with the same languages, bounds and fallback: nothing ` +
      'differs; to compare two versions name the folder of the other as its model';
    refuse(['backends', index, 'kind'], message);
  }
}

/** Whether every fallback leads somewhere and none leads back. */
function checkFallbacks(backends: readonly RoutedBackend[], refuse: Refuse): boolean {
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  let sound = true;
  const found = (path: PropertyKey[], message: string): void => {
    sound = false;
    refuse(path, message);
  };
  for (const [index, { fallback }] of backends.entries())
    if (fallback !== undefined && !byName.has(fallback))
      found(['backends', index, 'fallback'], unknownBackend(fallback, backends));
  if (!sound) return false;
  const told = new Set<string>();
  for (const [index, { name }] of backends.entries()) {
    const way = [name];
    for (let next = byName.get(name)?.fallback; next !== undefined; next = byName.get(next)?.fallback) {
      if (next === name && !way.some((one) => told.has(one)))
        found(['backends', index, 'fallback'], `leads back to itself: ${[...way, name].join(' -> ')}`);
      if (way.includes(next)) break;
      way.push(next);
    }
    told.add(name);
  }
  return sound;
}

function checkRule(
  { when, needs, spill, to }: RoutingRule,
  index: number,
  chained: readonly RoutedBackend[],
  backends: readonly RoutedBackend[],
  refuse: Refuse,
): void {
  const path = ['rules', index];
  for (const matter of ['load', 'spend'] as const) {
    const range = when?.[matter];
    if (range && range.from >= range.below) refuse([...path, 'when', matter], 'is never so: nothing is below 0');
  }
  if (when?.spend && when.spend.from > 0 && !backends.some(costsByTheMinute))
    refuse([...path, 'when', 'spend'], 'is never so: no managed backend costs anything');
  const shares = Object.entries(to);
  const unknown = shares.filter(([name]) => !backends.some((backend) => backend.name === name));
  for (const [name] of unknown) refuse([...path, 'to', name], unknownBackend(name, backends));
  const sum = shares.reduce((total, [, share]) => total + share, 0);
  if (!(Math.abs(sum - 1) <= 1e-9)) {
    const of =
      shares.length === 0 ? 'names no backend' : `shares add up to ${Number((sum * 100).toFixed(6))}%, not 100%`;
    if (!Number.isNaN(sum)) refuse([...path, 'to'], of);
  }
  if (unknown.length > 0 || chained.length === 0) return;
  for (const [name, share] of shares) {
    if (!(share > 0)) continue;
    checkAble({ name, chained }, { when, needs }, (message) => refuse([...path, 'to', name], message));
  }
  if (spill !== undefined) checkSpill({ needs, to }, chained, (message) => refuse([...path, 'spill'], message));
}

/** Every session has a rule, and every rule a session. */
function checkReach(rules: readonly RoutingRule[], refuse: Refuse): void {
  const conditions = rules.map(({ when }) => when ?? {});
  for (const [index, condition] of conditions.entries()) {
    if (index === 0 || isReachable(condition, conditions.slice(0, index))) continue;
    const covering = conditions.findIndex((other, at) => at < index && !isReachable(condition, [other]));
    const by = covering < 0 ? 'the rules above together fit' : `rule "${rules[covering]!.name}" fits`;
    refuse(['rules', index], `"${rules[index]!.name}" never decides: ${by} all that it fits`);
  }
  if (rules.length > 0 && isReachable({}, conditions))
    refuse(['rules', rules.length - 1], 'leaves sessions that no rule fits; end with a rule without when');
}

function costsByTheMinute({ kind, price }: RoutedBackend): boolean {
  return !isSelfHosted(kind) && price > 0;
}

/** Nothing, where there is no list or something else. */
function listOf<T>(given: readonly T[] | undefined): readonly T[] {
  return Array.isArray(given) ? given.filter((one) => one !== undefined && one !== null) : [];
}

import { dollars, durationText, numberText, percentText, whole } from '../../format.ts';
import type { PolicySpec, When } from '../../routing/policy/spec.ts';
import { fitColumns } from '../terminal/fit-table.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

/** The rules in their order, and the backends that they lead to. */
export function renderPolicy(
  { name, spec, notes }: { name: string; spec: PolicySpec; notes: readonly { where: string; message: string }[] },
  paint: Paint,
  columns: number | undefined,
): string {
  const rules = spec.rules.map((rule, index) => [
    `  ${index + 1}`,
    rule.name,
    sharesText(rule.to),
    rule.when === undefined ? 'every other session' : whenText(rule.when),
  ]);
  const backends = spec.backends.map((backend) => [
    `  ${backend.name}`,
    backend.kind === 'local' && backend.model !== undefined ? `local (${backend.model})` : backend.kind,
    `${dollars(backend.price)}/min`,
    backend.maxSessions === undefined ? '' : whole(backend.maxSessions),
    backend.most === undefined ? '' : `${dollars(backend.most)}/h`,
    backend.fallback ?? '',
    backend.languages?.join(' ') ?? 'all',
  ]);
  const head = ['  backend', 'kind', 'price', 'sessions', 'most', 'fallback', 'languages'];
  const left = ['  ', 'rule', 'to', 'when', '  backend', 'kind', 'fallback', 'languages'];
  return [
    paint.bold(`${name}: the first rule that fits decides`),
    fitColumns(['  ', 'rule', 'to', 'when'], rules, { columns, left }),
    '',
    fitColumns(head, backends, { columns, left, spare: ['languages', 'most'] }),
    '',
    ...variantLines(spec).map((line) => folded(line, columns ?? 100)),
    folded(
      'the policy is sound: every session has a rule, every rule a session, every fallback an end',
      columns ?? 100,
    ),
    ...notes.map(({ where, message }) => folded(`${where}: note: ${message}`, columns ?? 100)),
    '',
  ].join('\n');
}

function variantLines({ canary, shadow }: PolicySpec): string[] {
  const lines = [];
  if (canary) {
    const { name, from, to, share, target, rollback } = canary;
    const rule = `${numberText(rollback.burn)} for ${durationText(rollback.for)} (${rollback.mode})`;
    lines.push(`canary ${name}: ${percentText(share)} of the sessions of ${from} go to ${to}`);
    lines.push(`  until it burns the budget of ${percentText(target)} at more than ${rule}`);
  }
  if (shadow) {
    const { to, share, most, maxSessions, perTenant } = shadow;
    const bounds = `${whole(maxSessions)} at once, ${dollars(most)}/h at most`;
    lines.push(`shadow: ${to} hears ${percentText(share)} of the sessions unseen (${bounds})`);
    if (perTenant) lines.push(`  of each tenant ${boundsText(perTenant)}`);
  }
  return lines.length > 0 ? [...lines, ''] : [];
}

function boundsText({ maxSessions, most }: NonNullable<NonNullable<PolicySpec['shadow']>['perTenant']>): string {
  return [
    ...(maxSessions === undefined ? [] : [`${whole(maxSessions)} at once`]),
    ...(most === undefined ? [] : [`${dollars(most)}/h at most`]),
  ].join(', ');
}

/** `own 50 %, deepgram 50 %`; a backend that gets all by its name alone. */
export function sharesText(to: Readonly<Record<string, number>>): string {
  const shares = Object.entries(to).filter(([, share]) => share > 0);
  return shares.length === 1
    ? shares[0]![0]
    : shares.map(([name, share]) => `${name} ${percentText(share)}`).join(', ');
}

function whenText({ language, tenant, device, lane, load, spend, cold }: When): string {
  const words = { language, tenant, device, lane };
  const named = Object.entries(words).flatMap(([key, value]) => (value ? [`${key} ${value.join(' ')}`] : []));
  const range = (key: string, value: When['load'], write: (amount: number) => string): string[] => {
    if (!value) return [];
    return [value.from > 0 ? `${key} >= ${write(value.from)}` : `${key} < ${write(value.below)}`];
  };
  const starting = cold === undefined ? [] : [cold ? 'machines start' : 'no machine starts'];
  return [
    ...named,
    ...range('load', load, percentText),
    ...range('spend', spend, (amount) => `${dollars(amount)}/h`),
    ...starting,
  ].join(', ');
}

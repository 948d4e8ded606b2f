import type { Exemplar } from '../budget/exemplars.ts';
import type { Group } from '../budget/split.ts';
import { alignColumns } from './columns.ts';
import type { Paint } from './paint.ts';
import { shortMs, withInterval } from './waterfall.ts';

/** A row a group: its percentile and each stage's share of it. */
export function groupLines(label: string, groups: readonly Group[], paint: Paint): string[] {
  const stages = groups[0]?.analysis.budget.stages ?? [];
  const percentile = groups[0]?.analysis.budget.objective.percentile;
  const head = [label, 'traces', `p${percentile}`, ...stages.map(({ name }) => name), 'unattributed', 'verdict'];
  const rows = groups.map(({ value, analysis }) => [
    value,
    String(analysis.total?.n ?? 0),
    analysis.total ? withInterval(analysis.total.valueMs, analysis.total.interval) : '',
    ...analysis.stages.map(({ contribution }) => shortMs(contribution.ms)),
    shortMs(analysis.unattributed?.ms ?? Number.NaN),
    analysis.verdict,
  ]);
  return alignColumns([head.map(paint.dim), ...rows], `<>>${'>'.repeat(stages.length)}><`);
}

/** Real traces near the percentile. */
export function exemplarLines(exemplars: readonly Exemplar[]): string[] {
  return exemplars.map((one) => {
    const parts = one.stages.map(({ name, ms }) => `${name} ${ms.toFixed(1)}`);
    const rest = Math.abs(one.unattributedMs) >= 0.05 ? [`unattributed ${one.unattributedMs.toFixed(1)}`] : [];
    const who = one.session === undefined ? `line ${one.line}` : `${one.session}, line ${one.line}`;
    return `exemplar ${who}: ${shortMs(one.totalMs)} = ${[...parts, ...rest].join(' + ')}`;
  });
}

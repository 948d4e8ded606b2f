import type { Exemplar } from '../../budget/exemplars.ts';
import type { Group } from '../../budget/split.ts';
import { tenthsMs } from '../../format.ts';
import { alignColumns } from '../terminal/columns.ts';
import { visibleLength } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';
import { withInterval } from './waterfall.ts';

/**
 * A row a group: its percentile and each stage's share of it; the shares in a table of their own
 * where columns are few.
 */
export function groupSections(
  label: string,
  groups: readonly Group[],
  { paint, columns }: { paint: Paint; columns: number },
): string[][] {
  const stages = groups[0]?.analysis.budget.stages ?? [];
  const percentile = groups[0]?.analysis.budget.objective.percentile;
  const whole = [
    [label, 'traces', `p${percentile}`].map(paint.dim),
    ...groups.map(({ value, analysis: { total } }) => [
      value,
      String(total?.n ?? 0),
      total ? withInterval(total.valueMs, total.interval) : '',
    ]),
  ];
  const shares = [
    [...stages.map(({ name }) => name), 'unattributed'].map(paint.dim),
    ...groups.map(({ analysis }) => [
      ...analysis.stages.map(({ contribution }) => tenthsMs(contribution.ms)),
      tenthsMs(analysis.unattributed?.ms ?? Number.NaN),
    ]),
  ];
  const verdicts = [paint.dim('verdict'), ...groups.map(({ analysis }) => analysis.verdict)];
  const right = '>'.repeat(shares[0]!.length);
  const one = alignColumns(
    whole.map((cells, i) => [...cells, ...shares[i]!, verdicts[i]!]),
    `<>>${right}<`,
  );
  if (one.every((line) => visibleLength(line) <= columns)) return [one];
  return [
    alignColumns(
      whole.map((cells, i) => [...cells, verdicts[i]!]),
      '<>><',
    ),
    alignColumns(
      shares.map((cells, i) => [whole[i]![0]!, ...cells]),
      `<${right}`,
    ),
  ];
}

/** Real traces near the percentile. */
export function exemplarLines(exemplars: readonly Exemplar[]): string[] {
  return exemplars.map((one) => {
    const parts = one.stages.map(({ name, ms }) => `${name} ${ms.toFixed(1)}`);
    const rest = Math.abs(one.unattributedMs) >= 0.05 ? [`unattributed ${one.unattributedMs.toFixed(1)}`] : [];
    const who = one.session === undefined ? `line ${one.line}` : `${one.session}, line ${one.line}`;
    return `exemplar ${who}: ${tenthsMs(one.totalMs)} = ${[...parts, ...rest].join(' + ')}`;
  });
}

import Table from 'cli-table3';
import { alignColumns } from './columns.ts';
import { visibleLength } from './fold.ts';

export type TableOptions = {
  /** Width of the terminal; undefined for a pipe, where every width is right. */
  columns: number | undefined;
  /** Heads of columns that keep to the left; without it the first does. */
  left?: readonly string[];
  /** Heads of columns that a narrow terminal goes without, the first first. */
  spare?: readonly string[];
};

/**
 * A table as wide as the terminal lets it be: in a box, else in bare columns, else without those
 * that can be spared. Where even that is too wide it is the terminal that breaks the lines.
 */
export function fitTable(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions): string {
  const box = boxed(head, rows, options);
  return fitsTerminal(box, options) ? box : fitColumns(head, rows, options);
}

/** The same without a box, however wide the terminal. */
export function fitColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string {
  const { spare = [] } = options;
  for (let without = 0; ; without++) {
    const bare = bareColumns(head, rows, { ...options, spare: spare.slice(0, without) });
    if (fitsTerminal(bare, options) || without === spare.length) return bare;
  }
}

/** Whether no line is longer than the terminal is wide. */
export function fitsTerminal(text: string, { columns }: Pick<TableOptions, 'columns'>): boolean {
  return columns === undefined || text.split('\n').every((line) => visibleLength(line) <= columns);
}

/** The same table in a box, however wide. */
export function boxed(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left = head.slice(0, 1) }: Pick<TableOptions, 'left'>,
): string {
  const colAligns = head.map((name) => (left.includes(name) ? ('left' as const) : ('right' as const)));
  const table = new Table({ head: [...head], colAligns, style: { head: [], border: [], compact: true } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

function bareColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left = head.slice(0, 1), spare = [] }: TableOptions,
): string {
  const kept = [...head.keys()].filter((i) => !spare.includes(head[i]!));
  const align = kept.map((i) => (left.includes(head[i]!) ? '<' : '>')).join('');
  return alignColumns(
    [head, ...rows].map((row) => kept.map((i) => row[i] ?? '')),
    align,
  ).join('\n');
}

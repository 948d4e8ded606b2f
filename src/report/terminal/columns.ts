import { visibleLength } from './fold.ts';

/**
 * Rows as lines of aligned columns, two blanks between; `<` and `>` of `align` say to which side
 * each column keeps. Escape codes for colour take no width.
 */
export function alignColumns(rows: readonly (readonly string[])[], align: string): string[] {
  const widths = [...align].map((_, c) => Math.max(...rows.map((row) => visibleLength(row[c] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, c) => {
        const blanks = ' '.repeat(widths[c]! - visibleLength(cell));
        return align[c] === '>' ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd(),
  );
}

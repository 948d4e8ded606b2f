import { folded } from '../report/terminal/fold.ts';

/** Colour for a terminal that has it, unless NO_COLOR (https://no-color.org) is set. */
export function wantsColour({ isTTY }: { isTTY?: boolean }, { NO_COLOR, TERM } = process.env): boolean {
  return isTTY === true && !NO_COLOR && TERM !== 'dumb';
}

/**
 * Columns of the terminal that stdout is; undefined when it is none, so that lines stay whole for
 * `grep`.
 */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Writes a report to stdout, its long lines folded to the terminal. */
export function printReport(text: string): void {
  const columns = terminalColumns();
  process.stdout.write(columns === undefined ? text : folded(text, columns));
}

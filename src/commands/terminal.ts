import { plainValue } from '../plain-text.ts';
import { folded } from '../report/terminal/fold.ts';
import { createPaint, type Paint } from '../report/terminal/paint.ts';

/** Colour for a terminal that has it, unless NO_COLOR (https://no-color.org) is set. */
export function wantsColour({ isTTY }: { isTTY?: boolean }, { NO_COLOR, TERM } = process.env): boolean {
  return isTTY === true && !NO_COLOR && TERM !== 'dumb';
}

/**
 * Writes a report to stdout, its long lines folded to the terminal. `render` gets the value with
 * every text in it as a line may show it, so that only our own line breaks and colours come out.
 */
export function printReport<Value>(value: Value, render: RenderReport<Value>): void {
  const columns = terminalColumns();
  const text = render(plainValue(value), createPaint(wantsColour(process.stdout)), columns);
  process.stdout.write(columns === undefined ? text : folded(text, columns));
}

type RenderReport<Value> = (shown: Value, paint: Paint, columns: number | undefined) => string;

/**
 * Columns of the terminal that stdout is; undefined when it is none, so that lines stay whole for
 * `grep`.
 */
function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** Colours by meaning. Every use says the same in words or symbols, so that nothing is lost without them. */
export type Paint = Record<'good' | 'warn' | 'bad' | 'dim' | 'bold', (text: string) => string>;

/** ANSI colours, or none. */
export function createPaint(colour: boolean): Paint {
  const style = (open: number, close: number) => (text: string) =>
    colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { good: style(32, 39), warn: style(33, 39), bad: style(31, 39), dim: style(2, 22), bold: style(1, 22) };
}

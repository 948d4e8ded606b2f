import { styleText } from 'node:util';

/**
 * Colours by meaning. Every use says the same in words or symbols, so that nothing is lost without
 * them.
 */
export type Paint = Record<'good' | 'warn' | 'bad' | 'dim' | 'bold', (text: string) => string>;

/** ANSI colours, or none; whoever makes the paint knows the stream that it goes to. */
export function createPaint(colour: boolean): Paint {
  const style = (name: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(name, text, { validateStream: false }) : text;
  return { good: style('green'), warn: style('yellow'), bad: style('red'), dim: style('dim'), bold: style('bold') };
}

import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/**
 * Text for a terminal of so many columns: longer lines go on below, set in under the last column of
 * a table or two blanks further than they began. Lines with bars or boxes are drawn to fit by
 * whoever draws them and are left alone.
 */
export function folded(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => (visibleLength(line) <= columns || drawn.test(line) ? [line] : fold(line, columns)))
    .join('\n');
}

/**
 * A text's width in columns of a terminal: colours and combining characters take none, wide
 * characters two.
 */
export function visibleLength(text: string): number {
  // The library takes words apart for it, which of ten thousand rows takes seconds.
  return printable.test(text) ? text.length : stringWidth(text);
}

/** Text of which each character is one column. */
const printable = /^[\x20-\x7e]*$/;

const drawn = /[\u2500-\u259f]/;

function fold(line: string, columns: number): string[] {
  const indent = ' '.repeat(hangingIndent(stripVTControlCharacters(line), columns));
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<=\S) (?=\S)/)) {
    const wider = current === '' ? word : `${current} ${word}`;
    if (current !== '' && visibleLength(wider) > columns) {
      lines.push(current);
      current = indent + word;
    } else current = wider;
  }
  return [...lines, current];
}

function hangingIndent(plain: string, columns: number): number {
  const cells = [...plain.matchAll(/(?<=^|\s{2})\S/g)].map(({ index }) => index);
  const last = cells.at(-1) ?? 0;
  const begin = /^\s*(?:[-·✓✗] )?/.exec(plain)![0].length;
  return cells.length > 1 && last <= 0.65 * columns ? last : begin + (/^\s*[-·✓✗] /.test(plain) ? 0 : 2);
}

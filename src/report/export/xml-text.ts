import { plainText, sentenceColumns } from '../../plain-text.ts';

/**
 * Text for an element or a quoted attribute of XML, SVG too. XML 1.0 has no way to write most
 * control characters, and whoever shows the document prints names as they are.
 */
export function xmlText(text: string): string {
  return plainText(text, sentenceColumns).replace(/[&<>"]/g, (letter) => entities[letter]!);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

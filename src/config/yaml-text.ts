import { Document, visit } from 'yaml';
import { hiddenCharacters } from '../plain-text.ts';

/**
 * A value as YAML. Texts with characters that a terminal obeys or nobody sees are in double quotes,
 * those characters as escapes (`\u202e`): a reader of YAML reads the same.
 */
export function yamlText(value: unknown): string {
  return documentText(new Document(value, { aliasDuplicateObjects: false }));
}

/** The same of a document that has comments. */
export function documentText(document: Document): string {
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && scalar.value.replaceAll('\n', '').search(hiddenCharacters) >= 0)
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  // Only between double quotes is anything left to replace.
  return document
    .toString({ lineWidth: 0 })
    .replace(hiddenCharacters, (character) => (character === '\n' ? character : escapeOf(character)));
}

/** As YAML 1.2 (5.7) has it. */
function escapeOf(character: string): string {
  const hex = character.codePointAt(0)!.toString(16);
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

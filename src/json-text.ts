import { hiddenCharacters } from './plain-text.ts';

/**
 * A value as JSON: a document of several lines that ends with a line break, or with `indent` 0 one
 * line without. Characters that a terminal obeys or nobody sees are escapes (`\u202e`), so that
 * `cat` is as safe as a parser and reads the same.
 */
export function jsonText(value: unknown, indent: 0 | 2 = 2): string {
  const text = escapedJson(JSON.stringify(value, null, indent));
  return indent === 0 ? text : `${text}\n`;
}

/** The same for JSON that somebody else has written; its own line breaks stay. */
export function escapedJson(json: string): string {
  return json.replace(hiddenCharacters, (character) => (character === '\n' ? character : escapes(character)));
}

function escapes(character: string): string {
  return Array.from({ length: character.length }, (_, i) => {
    return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }).join('');
}

import { jsonText } from '../json-text.ts';

/**
 * A value of JSON in its one spelling: keys in the order of their UTF-16 units at every depth, no
 * blanks (as RFC 8785 has it), and hidden characters as escapes, so that `cat` shows what a parser
 * reads.
 */
export function canonicalJson(value: unknown): string {
  return jsonText(sorted(value), 0);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted((value as Record<string, unknown>)[key])]));
}

/**
 * The beginning of a text, up to the last blank within `most` characters, and how long it was. No
 * word is cut, as half a secret is not found and hidden any more.
 */
export function cutWords(text: string, most: number): string {
  if (text.length <= most) return text;
  const begin = text.slice(0, most).replace(/\S+$/, '').trimEnd();
  return `${begin}${begin === '' ? '' : ' '}... (${text.length} characters)`;
}

/** Whether two tags (BCP 47) name one language, wherever it is spoken. */
export function isSameLanguage(one: string, other: string): boolean {
  return primaryTag(one) === primaryTag(other);
}

/** `en` of `en-US`. */
function primaryTag(language: string): string {
  return language.split('-')[0]!.toLowerCase();
}

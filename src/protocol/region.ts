/** What a region may be called: the name becomes part of keys and of addresses. */
export function isRegion(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text);
}

/** What `isRegion` allows, for sentences. */
export const regionForm = 'a to z, 0 to 9, ".", "_", "-"; 63 characters at most';

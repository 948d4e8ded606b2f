import { sha256 } from './secrets.ts';

/**
 * A session's id as those who run the server see it, which opens nothing: the first 16 hexadecimal
 * digits of its SHA-256.
 */
export function publicId(sessionId: string): string {
  return sha256(sessionId).toString('hex').slice(0, 16);
}

/** The owner of a tenant's session is `tenant:NAME/USER`, and a user is a person. */
export function tenantIn(owner: string | undefined): string | undefined {
  return owner && (/^tenant:([^/]*)/.exec(owner)?.[1] ?? owner);
}

/** A digest of the user in the owner of a tenant's session; undefined: it has none. */
export function userIn(owner: string | undefined): string | undefined {
  const isUsers = owner !== undefined && /^tenant:[^/]*\//.test(owner);
  return isUsers ? publicId(owner) : undefined;
}

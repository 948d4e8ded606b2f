import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new secret for URLs and headers, `bytes` of randomness. */
export function createSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** Whether two secrets are equal, in time that does not depend on where they differ. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(sha256(left), sha256(right));
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What is kept of a token, and of whose a session is, which may be a person. */
export function hashOf(token: string): string {
  return sha256(token).toString('base64url');
}

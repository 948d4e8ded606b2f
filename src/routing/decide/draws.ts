import { createHash } from 'node:crypto';
import type { PolicySpec } from '../policy/spec.ts';

/**
 * A number in [0, 1) that is always the same for a session and a matter, and for two matters
 * independent: sessions of one canary are no more often of the next. From the first 48 bits of
 * SHA-256.
 */
export function drawOf(matter: string, session: string): number {
  const digest = createHash('sha256').update(matter).update('\0').update(session).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** What decides whether a session is one of the canary's; undefined: the policy has no canary. */
export function canaryDrawOf({ canary }: Pick<PolicySpec, 'canary'>, session: string): number | undefined {
  return canary && drawOf(`canary ${canary.name}`, session);
}

/** Whether the shadow of a policy hears a session of that language too. */
export function isShadowed({ shadow, backends }: PolicySpec, session: string, language: string): boolean {
  if (!shadow || drawOf('shadow', session) >= shadow.share) return false;
  const languages = backends.find(({ name }) => name === shadow.to)?.languages;
  return languages === undefined || languages.includes(language.split('-')[0]!.toLowerCase());
}

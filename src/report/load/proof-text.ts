import { whole } from '../../format.ts';
import type { Unprovable } from '../../load/scenario/proof.ts';
import type { SessionNeed } from '../../load/scenario/session-needs.ts';

/**
 * That a test is too short to prove an objective, and how long or how large it would have to be.
 */
export function unprovableText({ objective, expected, needed, durationMs, sessions }: Unprovable): string {
  const seconds = durationMs / 1000;
  return `too short to prove ${objective}: ${expected.toLocaleString('en-US')} samples are due and ${needed.toLocaleString('en-US')} without a miss are the fewest that prove it; run for ${seconds} s (--duration ${seconds}s) or with ${sessions.toLocaleString('en-US')} sessions`;
}

/** The same of too few sessions. */
export function tooFewSessionsText({ objective, sessions, least }: SessionNeed): string {
  const has = sessions === 1 ? 'one session has' : `${whole(sessions)} sessions have`;
  return `too few sessions to prove ${objective}: ${has} samples enough, but at least ${whole(least)} of them must differ`;
}

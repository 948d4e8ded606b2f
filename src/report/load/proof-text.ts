import type { Unprovable } from '../../load/scenario/proof.ts';

/** That a test is too short to prove an objective, and how long or how large it would have to be. */
export function unprovableText({ objective, expected, needed, durationMs, sessions }: Unprovable): string {
  const seconds = durationMs / 1000;
  return `too short to prove ${objective}: ${expected.toLocaleString('en-US')} samples are due and ${needed.toLocaleString('en-US')} without a miss are the fewest that prove it; run for ${seconds} s (--duration ${seconds}s) or with ${sessions.toLocaleString('en-US')} sessions`;
}

import { countNames } from './definitions.ts';

/** What is counted: the metrics of that kind, and what they stand beside. */
export const tallyNames = [
  ...countNames,
  'frames_sent',
  'frames_acked',
  'events',
  'sessions',
  'sessions_ok',
  /** Going on when the test was ended early: neither well nor badly over. */
  'sessions_cut',
  /**
   * Finals that came, whenever they were due; and, measured only: utterances over, and those good
   * in every way.
   */
  'utterances',
  'utterances_due',
  'utterances_good',
  /** Sound that feedback was due for, and that got it, ms. */
  'sound_due_ms',
  'sound_served_ms',
  'phones_shown',
  'phones_revised',
  'words_shown',
  'words_changed',
  /** Counted where an utterance was read to its end and has a final. */
  'words_spoken',
  'words_wrong',
  /** Samples that were due in the warm-up and are in no distribution. */
  'warmup_samples',
] as const;

export type TallyName = (typeof tallyNames)[number];
export type Tally = Record<TallyName, number>;

export function emptyTally(): Tally {
  return Object.fromEntries(tallyNames.map((name) => [name, 0])) as Tally;
}

export function addTally(into: Tally, other: Partial<Tally>): void {
  for (const name of tallyNames) into[name] += other[name] ?? 0;
}

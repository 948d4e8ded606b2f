import { firstTrue } from '../stats/bisect.ts';
import { quantileRank } from '../stats/quantile.ts';
import type { ClusterSums } from './cluster-sums.ts';

type MetricFields = {
  about: string;
  /**
   * An utterance has it for itself, so that goodput holds the utterance against objectives on it.
   */
  perUtterance: boolean;
  /**
   * It belongs to one phase of the load, by when it was due; the others are of sessions, which last
   * for several.
   */
  perPhase: boolean;
  /**
   * Learners feel it, so that runs are compared by it; the others are about the generator, or
   * money.
   */
  felt: boolean;
};

/** The usual facts of what an utterance, a socket, a session and the load generator have. */
const ofUtterances = { perUtterance: true, perPhase: true, felt: true } as const;
const ofSockets = { perUtterance: false, perPhase: true, felt: true } as const;
const ofSessions = { perUtterance: false, perPhase: false, felt: true } as const;
const ofGenerator = { perUtterance: false, perPhase: false, felt: false } as const;

/**
 * The latency of what a server owes at every moment is the first of these that has samples:
 * feedback on the sound; words, where a server does not say how far it has heard; finals, where
 * nobody knows when words end.
 */
const answers = ['feedback_latency', 'word_latency', 'final_latency'] as const;

/**
 * Everything that a load test measures and an objective may name, each with all of its facts. A
 * distribution holds latencies in ms, silence where an event was due among them as infinity; a
 * share is good of total; a rate is what should be rare, of all; a count stands beside the exposure
 * that `rate` divides by. Names in `good`, `total`, `counted` and `of` are tallies.
 */
export const metrics = {
  feedback_latency: {
    kind: 'distribution',
    about: 'first sample of a frame spoken -> the first feedback that covers the frame received',
    ...ofUtterances,
  },
  first_partial: {
    kind: 'distribution',
    about: 'speech begins -> the first feedback of the utterance with a phone in it',
    ...ofUtterances,
  },
  partial_gap: {
    kind: 'distribution',
    about: 'one feedback of an utterance received -> the next, up to the final; sound held back by the app left out',
    ...ofUtterances,
  },
  final_latency: {
    kind: 'distribution',
    about: "the utterance's last sound -> its utterance_final",
    ...ofUtterances,
  },
  phoneme_latency: {
    kind: 'distribution',
    about: 'acoustic end of a phone -> its first score',
    ...ofUtterances,
  },
  phoneme_final_latency: {
    kind: 'distribution',
    about: 'acoustic end of a phone -> its final score',
    ...ofUtterances,
  },
  word_latency: {
    kind: 'distribution',
    about: 'acoustic end of a word -> the first message that shows it',
    ...ofUtterances,
  },
  word_final_latency: {
    kind: 'distribution',
    about: 'acoustic end of a word -> the first message that shows it for good',
    ...ofUtterances,
  },
  connect_time: {
    kind: 'distribution',
    about: 'a session due to begin -> ready',
    ...ofSockets,
  },
  refusal_time: {
    kind: 'distribution',
    about: 'an attempt due to begin -> refused',
    ...ofSockets,
  },
  resume_time: {
    kind: 'distribution',
    about: 'a socket lost -> the session resumed',
    ...ofSockets,
  },
  send_lateness: {
    kind: 'distribution',
    about: 'a frame due to be sent -> given to the socket, the generator itself',
    ...ofGenerator,
    perPhase: true,
  },
  shaping_lateness: {
    kind: 'distribution',
    about: 'a message due from the simulated network -> really passed on, the generator itself',
    ...ofGenerator,
  },
  availability: {
    kind: 'share',
    about:
      'feedback that came, of feedback that was due; words that came, where a server does not say how far it has heard',
    arrivalsOf: answers,
    ...ofUtterances,
  },
  goodput: {
    kind: 'share',
    about: 'utterances that by themselves met every objective, of utterances',
    good: 'utterances_good',
    total: 'utterances_due',
    perUtterance: false,
    perPhase: true,
    felt: true,
  },
  session_success: {
    kind: 'share',
    about: 'sessions that ended well, of sessions attempted',
    good: 'sessions_ok',
    total: 'sessions',
    ...ofSessions,
  },
  revision_rate: {
    kind: 'rate',
    about: 'phones whose score changed after it was first shown',
    counted: 'phones_revised',
    of: 'phones_shown',
    part: true,
    ...ofUtterances,
  },
  flicker_rate: {
    kind: 'rate',
    about: 'words of partial transcripts that changed or went away',
    counted: 'words_changed',
    of: 'words_shown',
    part: true,
    ...ofUtterances,
  },
  wer: {
    kind: 'rate',
    about: 'word errors of finals, of words spoken: left out, put in or changed',
    counted: 'words_wrong',
    of: 'words_spoken',
    part: false,
    ...ofUtterances,
  },
  violations: {
    kind: 'count',
    about: 'protocol rules broken by the server, of events received',
    of: ['events'],
    part: false,
    ...ofSessions,
    perUtterance: true,
  },
  lost_frames: {
    kind: 'count',
    about: 'frames sent and never acknowledged, of frames sent',
    of: ['frames_sent'],
    part: true,
    ...ofSessions,
  },
  lost_by_network: {
    kind: 'count',
    about: 'frames that came to no server in time, though they were sent, of frames sent',
    of: ['frames_sent'],
    part: false,
    ...ofSessions,
  },
  resent_frames: {
    kind: 'count',
    about: 'frames sent again after a resume, of frames sent',
    of: ['frames_sent'],
    part: false,
    ...ofSessions,
  },
  dropped_by_app: {
    kind: 'count',
    about: 'frames that the app dropped because too much waited to be sent, of frames due',
    of: ['frames_sent', 'dropped_by_app', 'lost_by_app'],
    part: false,
    ...ofSessions,
  },
  lost_by_app: {
    kind: 'count',
    about: 'frames that the app lost before it sent them, by a fault of the test, of frames due',
    of: ['frames_sent', 'dropped_by_app', 'lost_by_app'],
    part: false,
    ...ofSessions,
  },
  sessions_refused: {
    kind: 'count',
    about: 'sessions that never became ready, of sessions attempted',
    of: ['sessions'],
    part: true,
    ...ofSessions,
  },
  refusals: {
    kind: 'count',
    about: 'attempts to begin a session that were refused, of sessions attempted',
    of: ['sessions'],
    part: false,
    ...ofSessions,
  },
  sessions_died: {
    kind: 'count',
    about: 'sessions lost before their end, of sessions attempted',
    of: ['sessions'],
    part: true,
    ...ofSessions,
  },
  sessions_sent_away: {
    kind: 'count',
    about: 'sessions that the server had too many of and told when to come back, of sessions attempted',
    of: ['sessions'],
    part: true,
    ...ofSessions,
  },
  transcripts_moved: {
    kind: 'count',
    about: 'utterances whose text another backend finished than began it, of utterances finished',
    of: ['utterances'],
    part: false,
    ...ofSessions,
  },
  transcripts_lost: {
    kind: 'count',
    about: 'times that nobody wrote the transcript any more, of utterances finished',
    of: ['utterances'],
    part: false,
    ...ofSessions,
  },
  late_finals: {
    kind: 'count',
    about: 'finals that were told after their session had ended, of utterances due',
    of: ['utterances_due'],
    part: false,
    ...ofSessions,
  },
  cost_per_audio_minute: {
    kind: 'cost',
    about: 'what the servers cost while measured, by minute of sound that got feedback',
    perUtterance: false,
    perPhase: false,
    felt: false,
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metrics;

type MetricDefinition = MetricFields &
  (
    | { kind: 'distribution' }
    /** Counted by tallies, or the samples of a distribution that came. */
    | { kind: 'share'; good: string; total: string }
    /** The first of these distributions that has samples. */
    | { kind: 'share'; arrivalsOf: readonly string[] }
    /**
     * A share that should be small: what happened `of` all that could. `part`: it is never more
     * than that.
     */
    | { kind: 'rate'; counted: string; of: string; part: boolean }
    /** `of`: its exposure is their sum. `part`: it is never more than the first of them. */
    | { kind: 'count'; of: readonly string[]; part: boolean }
    | { kind: 'cost' }
  );

export type DistributionName = NamesOf<'distribution'>;
export type ShareName = NamesOf<'share'>;
export type RateName = NamesOf<'rate'>;
export type CountName = NamesOf<'count'>;
export type CostName = NamesOf<'cost'>;

type NamesOf<K extends MetricDefinition['kind']> = {
  [N in MetricName]: (typeof metrics)[N]['kind'] extends K ? N : never;
}[MetricName];

/** Names of one kind, in the table's order. */
export const distributionNames = namesOf<DistributionName>('distribution');
export const shareNames = namesOf<ShareName>('share');
export const rateNames = namesOf<RateName>('rate');
export const countNames = namesOf<CountName>('count');

/** The latency of what the server owed at every moment of a test with so many samples of each. */
export function answerName(samplesOf: (name: DistributionName) => number | undefined): (typeof answers)[number] {
  return answers.find((name) => (samplesOf(name) ?? 0) > 0) ?? answers[0];
}

export function isRate(name: MetricName): name is RateName {
  return metrics[name].kind === 'rate';
}

/** Samples in ascending order by rank; infinity is a sample like any other. */
export type Distribution = {
  readonly samples: number;
  /** Samples that are infinite. */
  readonly never: number;
  /** Mean of the finite samples, ms; NaN without any. */
  readonly meanMs: number;
  /** Standard deviation of the finite ones, ms; NaN without any. */
  readonly deviationMs: number;
  /** The value of the `rank`-th smallest sample, ms; 1 <= rank <= samples. */
  valueAtRank(rank: number): number;
};

export type Measurements = {
  distributions: Readonly<Record<DistributionName, Distribution>>;
  shares: Readonly<Record<ShareName, { good: number; total: number }>>;
  rates: Readonly<Record<RateName, { count: number; of: number }>>;
  counts: Readonly<Record<CountName, { count: number; of: number }>>;
  /** Undefined where nobody said what the servers cost. */
  cost: { dollars: number; audioMinutes: number } | undefined;
  /**
   * How the sessions of each profile and language stand against each objective, by its text;
   * absent: nobody kept account.
   */
  strata?: readonly Readonly<Record<string, ClusterSums>>[];
};

/**
 * What an objective may choose by: the network that a session was on, the language spoken, the
 * phase of the load in which something was due, where the load has several, and the tenant whose
 * learner it was, where the server that the test starts has some.
 */
export const labelNames = ['profile', 'language', 'phase', 'tenant'] as const;
export type LabelName = (typeof labelNames)[number];
export type Labels = {
  readonly profile: string;
  readonly language: string;
  readonly phase?: string;
  readonly tenant?: string;
};

/** What carries these labels; {} is everything. */
export type Selector = { readonly [name in LabelName]?: string };

/** Whether the labels are chosen; `lte` chooses LTE. */
export function fits(labels: Labels, selector: Selector): boolean {
  return labelNames.every((name) => {
    const wanted = selector[name];
    return wanted === undefined || wanted.toLowerCase() === labels[name]?.toLowerCase();
  });
}

/** A key that is the same for equal labels. */
export function labelKey({ profile, language, phase = '', tenant = '' }: Labels): string {
  return `${profile}\n${language}\n${phase}\n${tenant}`;
}

/** `profile=lte,language=en-US`; empty for all sessions. */
export function selectorText(selector: Selector): string {
  const chosen = labelNames.filter((name) => selector[name] !== undefined);
  return chosen.map((name) => `${name}=${selector[name]}`).join(',');
}

/** The nearest-rank quantile of a distribution, see `quantileRank`; undefined without samples. */
export function quantile(distribution: Distribution, p: number): number | undefined {
  const { samples } = distribution;
  return samples === 0 ? undefined : distribution.valueAtRank(quantileRank(samples, p));
}

/** How many of the smallest samples are `within`, which holds up to some rank and not beyond. */
export function ranksWithin(distribution: Distribution, within: (value: number) => boolean): number {
  return firstTrue(1, distribution.samples + 1, (rank) => !within(distribution.valueAtRank(rank))) - 1;
}

function namesOf<N extends MetricName>(kind: MetricDefinition['kind']): readonly N[] {
  return (Object.keys(metrics) as MetricName[]).filter((name): name is N => metrics[name].kind === kind);
}

import type { ShadowRecord, ShadowSide } from './record.ts';

/** What one learner had of one side. */
export type LearnerSums = {
  utterances: number;
  /** Utterances whose text is known, those of them that were read well enough, and words. */
  tasks: number;
  done: number;
  wrong: number;
  words: number;
  /** From the end of an utterance to its final; Infinity: none came. */
  finalMs: number[];
  audioMinutes: number;
  dollars: number;
};

/** The two sides of a comparison by learner: who has only one of them is on that side alone. */
export type ComparedLearners = {
  baseline: Map<string, LearnerSums>;
  candidate: Map<string, LearnerSums>;
  /** Words in which both differ, of those that the baseline wrote. */
  between: Map<string, { count: number; of: number }>;
  /** How far scores of phones are apart, of how many that both have scored. */
  phones: Map<string, { count: number; of: number }>;
};

export type SumsOptions = {
  /** `shadow`: the same utterances twice; `variant`: learners of a canary beside others. */
  by: 'shadow' | 'variant';
  /** The share of wrong words up to which a task counts as done. */
  taskWer: number;
};

/** Sums a log up by learner. */
export class LearnerLedger {
  readonly learners: ComparedLearners = {
    baseline: new Map(),
    candidate: new Map(),
    between: new Map(),
    phones: new Map(),
  };
  /** The backends of each side, and languages. */
  readonly names = { baseline: new Set<string>(), candidate: new Set<string>(), canaries: new Set<string>() };
  readonly #options: SumsOptions;

  constructor(options: SumsOptions) {
    this.#options = options;
  }

  add(record: ShadowRecord): void {
    const { served, shadow, variant, learner, words, canary } = record;
    if (this.#options.by === 'variant') {
      if (variant === null) return;
      if (canary !== null) this.names.canaries.add(canary);
      this.#count(variant === 'canary' ? 'candidate' : 'baseline', learner, served, words);
      return;
    }
    if (!shadow) return;
    this.#count('baseline', learner, served, words);
    this.#count('candidate', learner, shadow, words);
    const { between, phones } = record;
    if (between !== null) add(this.learners.between, learner, { count: between, of: served.words });
    if (phones !== null) add(this.learners.phones, learner, { count: phones.apart, of: phones.compared });
  }

  #count(side: 'baseline' | 'candidate', learner: string, heard: ShadowSide, words: number | null): void {
    this.names[side].add(heard.model === null ? heard.backend : `${heard.backend} (${heard.model})`);
    const known = this.learners[side].get(learner);
    const sums = known ?? {
      utterances: 0,
      ...{ tasks: 0, done: 0, wrong: 0, words: 0, finalMs: [], audioMinutes: 0, dollars: 0 },
    };
    if (!known) this.learners[side].set(learner, sums);
    sums.utterances += 1;
    sums.finalMs.push(heard.final_ms ?? Number.POSITIVE_INFINITY);
    sums.audioMinutes += heard.audio_ms / 60_000;
    sums.dollars += heard.dollars;
    if (words === null || words === 0) return;
    // Of what was never written every word is missing.
    const wrong = heard.wrong ?? words;
    sums.tasks += 1;
    sums.words += words;
    sums.wrong += wrong;
    if (heard.final_ms !== null && wrong <= this.#options.taskWer * words) sums.done += 1;
  }
}

type Sums = { count: number; of: number };

function add(all: Map<string, Sums>, learner: string, { count, of }: Sums): void {
  const sums = all.get(learner) ?? { count: 0, of: 0 };
  all.set(learner, { count: sums.count + count, of: sums.of + of });
}

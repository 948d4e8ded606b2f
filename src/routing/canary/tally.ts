import type { UtteranceOutcome } from './heard.ts';
import type { CanarySide } from './watch.ts';

/** What has happened to the canaries of a server since it started. */
export type CanaryTotals = {
  sessions: readonly { canary: string; variant: CanarySide; count: number }[];
  utterances: readonly { canary: string; variant: CanarySide; outcome: UtteranceOutcome; count: number }[];
  rollbacks: readonly { canary: string; count: number }[];
};

/** Adds up what happens to canaries, of the last few by name: a name is a label of metrics. */
export class CanaryTally {
  readonly #known = new Map<string, Tallied>();

  /** A canary is in force; it counts from nothing where its name is new. */
  begin(canary: string): void {
    const tallied = this.#known.get(canary) ?? { sessions: new Map(), utterances: new Map(), rollbacks: 0 };
    this.#known.delete(canary);
    this.#known.set(canary, tallied);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostCanaries) this.#known.delete(oldest!);
  }

  session(canary: string, variant: CanarySide): void {
    const sessions = this.#known.get(canary)?.sessions;
    sessions?.set(variant, (sessions.get(variant) ?? 0) + 1);
  }

  utterance(canary: string, variant: CanarySide, outcome: UtteranceOutcome): void {
    const utterances = this.#known.get(canary)?.utterances;
    const key = `${variant} ${outcome}` as const;
    utterances?.set(key, (utterances.get(key) ?? 0) + 1);
  }

  rolledBack(canary: string): void {
    const tallied = this.#known.get(canary);
    if (tallied) tallied.rollbacks += 1;
  }

  totals(): CanaryTotals {
    const known = [...this.#known];
    return {
      sessions: known.flatMap(([canary, { sessions }]) =>
        [...sessions].map(([variant, count]) => ({ canary, variant, count })),
      ),
      utterances: known.flatMap(([canary, { utterances }]) =>
        [...utterances].map(([key, count]) => {
          const [variant, outcome] = key.split(' ') as [CanarySide, UtteranceOutcome];
          return { canary, variant, outcome, count };
        }),
      ),
      rollbacks: known.map(([canary, { rollbacks: count }]) => ({ canary, count })),
    };
  }
}

type Tallied = {
  sessions: Map<CanarySide, number>;
  utterances: Map<`${CanarySide} ${UtteranceOutcome}`, number>;
  rollbacks: number;
};

const mostCanaries = 10;

import { judgeRollback } from '../../slo/canary/judge.ts';
import type { CanarySpec } from '../policy/canary.ts';

/** Utterances of one side: how many, and how many of them were bad. */
export type SideCount = { bad: number; total: number };

export type CanarySide = 'canary' | 'baseline';

/** What a look at a canary comes to. */
export type CanaryLook = {
  /** `undecided`: too little is known, or both sides burn. */
  verdict: 'rollback' | 'well' | 'undecided';
  message: string;
  /** Counts and burns over the window: what an audit log keeps of a rollback. */
  figures: Readonly<Record<string, number>>;
};

/**
 * Counts what happens to the sessions of a canary and to those beside it, and judges by the
 * trailing window of whole intervals, with the arithmetic of `speechfb canary`. Counts may come
 * from several processes. Times are on one monotonic clock, ms.
 */
export class CanaryWatch {
  readonly #canary: CanarySpec;
  readonly #startMs: number;
  readonly #sides: Readonly<Record<CanarySide, SideCount[]>>;
  /** The interval that is running, from 0. */
  #interval = 0;

  constructor(canary: CanarySpec, startMs: number) {
    this.#canary = canary;
    this.#startMs = startMs;
    const empty = (): SideCount[] => Array.from({ length: this.#intervals + 1 }, () => ({ bad: 0, total: 0 }));
    this.#sides = { canary: empty(), baseline: empty() };
  }

  get canary(): CanarySpec {
    return this.#canary;
  }

  count(side: CanarySide, { bad, total }: SideCount, nowMs: number): void {
    this.#moveTo(nowMs);
    const now = this.#sides[side][this.#place(0)]!;
    now.bad += bad;
    now.total += total;
  }

  /** Judges the whole intervals of the trailing window. */
  look(nowMs: number): CanaryLook {
    this.#moveTo(nowMs);
    const { target, rollback, minimum } = this.#canary;
    const terms = {
      target,
      unit: 'utterance',
      minimumEvents: minimum,
      rollback: { burn: rollback.burn, forMs: rollback.for, everyMs: rollback.every, mode: rollback.mode },
    } as const;
    const [canary, baseline] = [this.#history('canary'), this.#history('baseline')];
    const { decision, message, figures = {} } = judgeRollback(terms, { history: baseline }, { history: canary });
    const verdict = decision === 'rollback' ? 'rollback' : decision === 'promote' ? 'well' : 'undecided';
    const counts = { canaryEvents: sum(canary).total, canaryBad: sum(canary).bad };
    const beside = { baselineEvents: sum(baseline).total, baselineBad: sum(baseline).bad };
    return { verdict, message, figures: { ...counts, ...beside, ...figures } };
  }

  get #intervals(): number {
    const { rollback } = this.#canary;
    return Math.round(rollback.for / rollback.every);
  }

  /** Where the interval `back` before the running one is kept. */
  #place(back: number): number {
    return (this.#interval - back) % (this.#intervals + 1);
  }

  #moveTo(nowMs: number): void {
    const { every } = this.#canary.rollback;
    // A clock that seems to step back counts into the interval that is running.
    const now = Math.max(this.#interval, Math.floor((nowMs - this.#startMs) / every));
    const steps = Math.min(now - this.#interval, this.#intervals + 1);
    this.#interval = now - steps;
    for (let step = 0; step < steps; step++) {
      this.#interval += 1;
      for (const counts of Object.values(this.#sides)) counts[this.#place(0)] = { bad: 0, total: 0 };
    }
  }

  /** The whole intervals of the window that have been seen, the oldest first. */
  #history(side: CanarySide): SideCount[] {
    const seen = Math.min(this.#intervals, this.#interval);
    return Array.from({ length: seen }, (_, i) => this.#sides[side][this.#place(seen - i)]!);
  }
}

function sum(history: readonly SideCount[]): SideCount {
  return history.reduce((all, { bad, total }) => ({ bad: all.bad + bad, total: all.total + total }), {
    bad: 0,
    total: 0,
  });
}

import { SpeechfbError } from '../errors.ts';
import { limitPurposes } from '../protocol/limit-purposes.ts';
import { type LimitName, type LimitRange, limitNames, limitProblem, limitRanges } from '../protocol/limit-ranges.ts';
import { didYouMean } from '../suggest.ts';
import { conflictsOf } from './limit-conflicts.ts';
import { defaultLimits, type Limits, limitsByWireName, wireName } from './limits.ts';
import { liveLimits } from './live-limits.ts';

/** The operator who sets a limit while the server runs, and why. */
export type LimitAuthor = { actor: string; reason: string };

/** A limit in force; Infinity: there is none. */
export type LimitView = {
  name: LimitName;
  value: number;
  /** What it is without a flag. */
  standard: number;
  range: LimitRange;
  /** What it is for. */
  purpose: string;
  /** Whether it may be set while the server runs. */
  isLive: boolean;
  /** Undefined: it is as the server was started. */
  setBy: (LimitAuthor & { atMs: number }) | undefined;
};

/** A limit that is to be different. */
export type LimitChange = { name: LimitName; from: number; to: number };

/**
 * The limits of a running server, and who has changed which. What is set here holds until the
 * server ends.
 */
export class LimitBook {
  readonly #inForce: { -readonly [Name in keyof Limits]: Limits[Name] };
  readonly #onChange: (changed: Partial<Limits>) => void;
  readonly #setBy = new Map<keyof Limits, LimitAuthor & { atMs: number }>();

  /**
   * @param inForce changed by this book; whatever is to obey it reads it anew each time
   * @param onChange other processes are to take up what is different
   */
  constructor(inForce: Limits, onChange: (changed: Partial<Limits>) => void = () => {}) {
    this.#inForce = inForce;
    this.#onChange = onChange;
  }

  /** What was set since the server started. */
  get changed(): Partial<Limits> {
    return Object.fromEntries([...this.#setBy.keys()].map((limit) => [limit, this.#inForce[limit]]));
  }

  values(): Record<LimitName, number> {
    return limitsByWireName(this.#inForce);
  }

  /** In the order of docs/protocol.md. */
  list(): LimitView[] {
    return (Object.keys(defaultLimits) as (keyof Limits)[]).map((limit) => ({
      name: wireName(limit),
      value: this.#inForce[limit],
      standard: defaultLimits[limit],
      range: limitRanges[wireName(limit)],
      purpose: limitPurposes[wireName(limit)],
      isLive: isLive(limit),
      setBy: this.#setBy.get(limit),
    }));
  }

  /**
   * What would be different if these were set, by the names of docs/protocol.md; null: no limit,
   * where there may be none.
   *
   * @throws SpeechfbError `bad_limit`: one of them cannot be so
   */
  differences(wanted: Readonly<Record<string, number | null>>): LimitChange[] {
    const changes = Object.entries(wanted).map(([name, given]) => this.#change(name, given));
    const part = partOf(changes);
    const [conflict] = conflictsOf({ ...this.#inForce, ...part }, Object.keys(part));
    if (conflict) throw refused(conflict.message);
    return changes.filter(({ from, to }) => from !== to);
  }

  /** Has them take effect. */
  set(changes: readonly LimitChange[], author: LimitAuthor, atMs: number): void {
    const part = partOf(changes);
    Object.assign(this.#inForce, part);
    for (const limit of Object.keys(part) as (keyof Limits)[]) this.#setBy.set(limit, { ...author, atMs });
    this.#onChange(part);
  }

  #change(text: string, given: number | null): LimitChange {
    const limit = byWireName.get(text);
    if (!limit) throw refused(`"${text}" is not a limit${didYouMean(text, limitNames)}`);
    const name = wireName(limit);
    if (!isLive(limit)) {
      throw refused(`${name} is read when the server or a session starts: set it with serve --limit ${name}=VALUE`);
    }
    const mayBeNone = defaultLimits[limit] === Number.POSITIVE_INFINITY;
    const to = given ?? Number.POSITIVE_INFINITY;
    const problem = given === null && mayBeNone ? undefined : limitProblem(name, to);
    if (problem !== undefined) throw refused(`${name}: ${problem}${mayBeNone ? ', or none' : ''}`);
    return { name, from: this.#inForce[limit], to };
  }
}

const byWireName = new Map(
  (Object.keys(defaultLimits) as (keyof Limits)[]).map((limit) => [`${wireName(limit)}`, limit]),
);
const live: ReadonlySet<keyof Limits> = new Set(liveLimits);

function isLive(limit: keyof Limits): boolean {
  return live.has(limit);
}

function partOf(changes: readonly LimitChange[]): Partial<Limits> {
  return Object.fromEntries(changes.map(({ name, to }) => [byWireName.get(name), to]));
}

function refused(message: string): SpeechfbError {
  return new SpeechfbError('bad_limit', message);
}

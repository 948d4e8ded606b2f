import type { AuditFields } from '../../audit/entry.ts';
import type { CanarySpec } from '../../routing/policy/canary.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';
import type { SoundPolicy } from '../source/policy-value.ts';
import { type PolicyChange, policyDiff } from './policy-diff.ts';

/** The policy in force: as it was given, but for a canary that has been rolled back. */
export type KeptPolicy = SoundPolicy & {
  /** From 1, one more with each change. */
  version: number;
  /** Where it came from: a file, a server of flags, an operator. */
  origin: string;
};

/** The name of who changes a policy, where it comes from, and why. */
export type PolicyAuthor = { actor: string; origin: string; reason: string };

export type PolicyKeeperOptions = {
  first: SoundPolicy & { origin: string };
  /** Writes down what is about to happen; absent: nobody asked for a log. */
  audit?: { append(fields: AuditFields): Promise<unknown> } | undefined;
  /** Names of canaries that were rolled back before this process began. */
  withdrawn?: readonly string[];
  /**
   * Makes ready what a policy needs; sessions that run keep theirs. What it throws changes nothing,
   * and nothing is written down.
   */
  prepare(policy: KeptPolicy): Promise<PreparedPolicy>;
};

/** A policy that is ready: one of both is called, once. */
export type PreparedPolicy = {
  /** Puts it in force. */
  adopt(): void;
  /** It does not come to be in force. */
  drop(): void;
};

/** What became of a policy that was proposed. */
export type PolicyOutcome = { changed: boolean; changes: readonly PolicyChange[]; entry: unknown };

/**
 * Which policy is in force. Changes come one after another, each is written to the audit log before
 * it takes effect, and one that cannot be written down does not. What is proposed is sound already.
 */
export class PolicyKeeper {
  readonly #options: PolicyKeeperOptions;
  readonly #withdrawn: Set<string>;
  /** What was given last, with its canary; what is in force may be without. */
  #given: SoundPolicy;
  #current: KeptPolicy;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PolicyKeeperOptions) {
    this.#options = options;
    this.#withdrawn = new Set(options.withdrawn);
    const { origin, ...given } = options.first;
    this.#given = given;
    this.#current = { ...this.#inForce(given), version: 1, origin };
  }

  get current(): KeptPolicy {
    return this.#current;
  }

  /** Canaries that were rolled back and stay away. */
  get withdrawn(): readonly string[] {
    return [...this.#withdrawn];
  }

  /**
   * Has the policy take effect, unless it is what is in force already.
   * @throws SpeechfbError `audit_unwritable`, `audit_broken`, or what `prepare` throws: nothing was
   *   changed
   */
  propose(policy: SoundPolicy, { actor, origin, reason }: PolicyAuthor): Promise<PolicyOutcome> {
    return this.#inTurn(async () => {
      const next = this.#inForce(policy);
      const changes = policyDiff(this.#current.given, next.given);
      if (changes.length === 0) {
        this.#given = policy;
        return { changed: false, changes, entry: undefined };
      }
      const kept = this.#next(next, origin);
      const stays = policy.spec.canary !== undefined && next.spec.canary === undefined;
      const entry = await this.#take(kept, {
        actor,
        action: 'routing.change',
        target: 'routing',
        diff: { origin, changes, ...(stays && { withdrawn_canary: policy.spec.canary!.name }) },
        reason,
      });
      this.#given = policy;
      return { changed: true, changes, entry };
    });
  }

  /**
   * Takes the canary of that name away for good: only another name brings one back. Undefined where
   * it is not in force any more.
   * @throws SpeechfbError as `propose`
   */
  rollBack(name: string, { reason, figures }: { reason: string; figures: object }): Promise<PolicyOutcome | undefined> {
    return this.#inTurn(async () => {
      if (this.#current.spec.canary?.name !== name) return undefined;
      const next = withoutCanary(this.#given);
      const changes = policyDiff(this.#current.given, next.given);
      const kept = this.#next(next, this.#current.origin);
      const entry = await this.#take(kept, {
        actor: 'speechfb',
        action: rollbackAction,
        target: name,
        diff: { origin: this.#current.origin, changes, figures },
        reason,
      });
      this.#withdrawn.add(name);
      return { changed: true, changes, entry };
    });
  }

  /** Makes the policy ready, writes down why it comes, and puts it in force. */
  async #take(kept: KeptPolicy, why: AuditFields): Promise<unknown> {
    const { prepare, audit } = this.#options;
    const prepared = await prepare(kept);
    let entry: unknown;
    try {
      entry = await audit?.append(why);
    } catch (error) {
      prepared.drop();
      throw error;
    }
    this.#current = kept;
    prepared.adopt();
    return entry;
  }

  #next(policy: SoundPolicy, origin: string): KeptPolicy {
    return { ...policy, version: this.#current.version + 1, origin };
  }

  #inForce(policy: SoundPolicy): SoundPolicy {
    const { canary } = policy.spec;
    return canary && this.#withdrawn.has(canary.name) ? withoutCanary(policy) : policy;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** What the audit log calls a rollback: a server that starts finds by it what stays away. */
export const rollbackAction = 'canary.rollback';

function withoutCanary(policy: SoundPolicy): SoundPolicy {
  const { spec, given } = policy;
  const { canary: _, ...rest } = spec;
  const document = given as { spec: Record<string, unknown> };
  const { canary: __, ...restGiven } = document.spec;
  return { ...policy, spec: rest as PolicySpec, given: { ...document, spec: restGiven } };
}

/** Whether what is counted of one canary says something of the other. */
export function isSameCanary(one: CanarySpec | undefined, other: CanarySpec | undefined): boolean {
  const key = (canary: CanarySpec | undefined): string => JSON.stringify(canary && { ...canary, share: 0 });
  return key(one) === key(other);
}

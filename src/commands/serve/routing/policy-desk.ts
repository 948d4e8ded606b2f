import type { PolicyTarget, PolicyView } from '../../../admin/target.ts';
import type { AuditLog } from '../../../audit/log.ts';
import { SpeechfbError } from '../../../errors.ts';
import { toldPolicy } from '../../../flags/policy/policy-diff.ts';
import {
  isSameCanary,
  type KeptPolicy,
  PolicyKeeper,
  type PolicyOutcome,
  type PreparedPolicy,
  rollbackAction,
} from '../../../flags/policy/policy-keeper.ts';
import { FileProvider } from '../../../flags/source/file-provider.ts';
import { OfrepProvider } from '../../../flags/source/ofrep-provider.ts';
import { PolicyFlag } from '../../../flags/source/policy-flag.ts';
import { policyOfText } from '../../../flags/source/policy-text.ts';
import { policyOfValue } from '../../../flags/source/policy-value.ts';
import type { UtteranceOutcome } from '../../../routing/canary/heard.ts';
import { CanaryTally } from '../../../routing/canary/tally.ts';
import { type CanaryLook, type CanarySide, CanaryWatch } from '../../../routing/canary/watch.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { LivePolicyFigures } from '../../../telemetry/policy-metrics.ts';
import type { PolicySource } from './policy-source.ts';
import { SourceHealth } from './source-health.ts';

/** What takes changed files up while a server runs. */
export type FollowedFiles = {
  add(file: {
    what: string;
    paths: readonly string[];
    texts: readonly string[];
    take(texts: readonly string[]): void;
  }): void;
};

export type PolicyDeskOptions = {
  source: PolicySource;
  region: string | undefined;
  log: Log;
  audit: AuditLog | undefined;
  /** Makes ready what a policy needs. */
  prepare(policy: KeptPolicy): Promise<PreparedPolicy>;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * Where a server's policy comes from and how it changes: it follows its file or its server of
 * flags, takes what operators set, and takes a canary away that burns.
 */
export class PolicyDesk implements AsyncDisposable, PolicyTarget {
  readonly #options: PolicyDeskOptions;
  readonly #keeper: PolicyKeeper;
  readonly #flag: PolicyFlag;
  readonly #file: FileProvider | undefined;
  readonly #health: SourceHealth;
  readonly #tally = new CanaryTally();
  readonly #timer: NodeJS.Timeout;
  #inForceSinceMs: number;
  #watch: CanaryWatch | undefined;
  #look: CanaryLook | undefined;
  /** The value of the flag that was looked at last, as JSON. */
  #seen: string;
  /** A value that could not be written down yet. */
  #owed: { value: unknown; sinceMs: number } | undefined;

  /** @throws SpeechfbError `bad_config`, `bad_flag_value`, `flags_unreachable` */
  static async open(options: PolicyDeskOptions): Promise<PolicyDesk> {
    const { source, region, log, audit } = options;
    const context = { targetingKey: 'speechfb', region: region ?? '' };
    const file = source.kind === 'file' ? new FileProvider({ ...source, flag: source.flag }) : undefined;
    const onReach = (why: string | undefined): void => {
      if (why === undefined) log.info({ flags: source.origin }, 'the server of flags answers again');
      else log.error({ flags: source.origin, why }, 'the server of flags cannot be asked: the last good policy stays');
    };
    const health = new SourceHealth(source.kind === 'ofrep', options.now());
    const onAsked = (hasAnswered: boolean): void =>
      hasAnswered ? health.answered(options.now()) : health.failed('unreachable', options.now());
    const provider = file ?? new OfrepProvider({ ...(source as RemoteSource), context, onReach, onAsked });
    const desk: { here?: PolicyDesk } = {};
    const onChange = (read: Promise<unknown>): void => void desk.here?.take(read);
    const flag = await PolicyFlag.open({ flag: source.flag, provider, origin: source.origin, context, onChange });
    const first = { ...policyOfValue(await flag.value(), source.origin), at: file?.at };
    const withdrawn = audit ? await rolledBack(audit) : [];
    const keeper = new PolicyKeeper({
      first: { ...first, origin: source.origin },
      audit,
      withdrawn,
      prepare: (policy) => desk.here!.#prepared(policy),
    });
    desk.here = new PolicyDesk(options, { keeper, flag, file, health, first: first.given });
    return desk.here;
  }

  private constructor(options: PolicyDeskOptions, { keeper, flag, file, health, first }: DeskParts) {
    this.#options = options;
    this.#keeper = keeper;
    this.#flag = flag;
    this.#file = file;
    this.#health = health;
    this.#seen = JSON.stringify(first);
    this.#inForceSinceMs = options.now();
    this.#observe(keeper.current);
    this.#timer = setInterval(() => this.look(), lookMs);
    this.#timer.unref();
  }

  get current(): KeptPolicy {
    return this.#keeper.current;
  }

  /** What operators are shown. */
  view(): PolicyView {
    const { name, version, origin, given } = this.current;
    const canary = this.#watch && this.#look && canaryView(this.#watch.canary.name, this.#look);
    return { name, version, origin, policy: toldPolicy(given), withdrawn: this.#keeper.withdrawn, canary };
  }

  /** Takes changed texts of its file up from here on. */
  follow(reloads: FollowedFiles): void {
    const { source } = this.#options;
    const file = this.#file;
    if (source.kind !== 'file' || !file) return;
    const take = ([text = '']: readonly string[]): void => {
      try {
        file.replace(text);
        this.#health.used();
      } catch (error) {
        this.#health.failed('refused', this.#options.now());
        throw error;
      }
    };
    reloads.add({ what: 'routing policy', paths: [source.file], texts: [source.text], take });
  }

  /** What metrics show. */
  figures(): LivePolicyFigures {
    const nowMs = this.#options.now();
    const canary = this.#watch?.canary.name;
    const { canaryBurn, baselineBurn } = this.#look?.figures ?? {};
    const burns = Object.entries({ canary: canaryBurn, baseline: baselineBurn });
    return {
      version: this.current.version,
      inForceMs: nowMs - this.#inForceSinceMs,
      sourceAgeMs: this.#health.ageMs(nowMs),
      failures: this.#health.failures,
      burns: burns.flatMap(([variant, burn]) =>
        canary === undefined || burn === undefined ? [] : [{ canary, variant, burn }],
      ),
      canaries: this.#tally.totals(),
    };
  }

  /** Counts a session of the canary of that name, or one beside it. */
  began(name: string, side: CanarySide): void {
    this.#tally.session(name, side);
  }

  /** Counts an utterance of the canary of that name, or of a session beside it. */
  count(name: string, side: CanarySide, outcome: UtteranceOutcome): void {
    this.#tally.utterance(name, side, outcome);
    if (this.#watch?.canary.name !== name) return;
    this.#watch.count(side, { bad: Number(outcome !== 'good'), total: 1 }, this.#options.now());
  }

  /**
   * Has a policy take effect that an operator gives, until its file or its flag has another.
   * @throws SpeechfbError with what is wrong with it, or why it cannot be: nothing was changed
   */
  async set(file: string, text: string, { actor, reason }: { actor: string; reason: string }): Promise<PolicyOutcome> {
    const author = { actor, reason, origin: `an operator (${file})` };
    const outcome = await this.#keeper.propose(policyOfText(file, text), author);
    this.#tell(outcome);
    return outcome;
  }

  /** Takes the value of the flag, or leaves everything as it is and says why. */
  async take(read: Promise<unknown>): Promise<void> {
    const { source, log } = this.#options;
    const { origin } = source;
    let value: unknown;
    try {
      value = await read;
      // What has not changed since it was taken up does not undo what an operator has set.
      if (JSON.stringify(value) === this.#seen) return;
      const author = { actor: source.kind, origin, reason: `${origin} has changed` };
      this.#owed = undefined;
      this.#tell(await this.#keeper.propose({ ...policyOfValue(value, origin), at: this.#file?.at }, author));
      this.#seen = JSON.stringify(value);
      this.#health.used();
    } catch (error) {
      const isOwed = error instanceof SpeechfbError && error.code.startsWith('audit_');
      this.#health.failed(isOwed ? 'unaudited' : 'refused', this.#options.now());
      if (isOwed) this.#owed = { value, sinceMs: this.#options.now() };
      else if (value !== undefined) this.#seen = JSON.stringify(value);
      log.error({ from: origin, error: sentenceOf(error) }, 'a changed routing policy cannot be used: the old stays');
    }
  }

  /** Judges the canary, and tries again what could not be written down. */
  look(): void {
    const nowMs = this.#options.now();
    if (this.#owed && nowMs - this.#owed.sinceMs >= retryMs) void this.take(Promise.resolve(this.#owed.value));
    const watch = this.#watch;
    if (!watch) return;
    const { name } = watch.canary;
    const before = this.#look?.verdict;
    this.#look = watch.look(this.#options.now());
    const { verdict, message, figures } = this.#look;
    if (verdict === before) return;
    const { log } = this.#options;
    if (verdict !== 'rollback') {
      log.info({ canary: name, verdict, why: message }, 'a canary is judged');
      return;
    }
    log.warn({ canary: name, why: message, ...figures }, 'a canary burns and is rolled back');
    this.#keeper.rollBack(name, { reason: message, figures }).then(
      (outcome) => {
        if (!outcome) return;
        this.#tally.rolledBack(name);
        this.#tell(outcome);
      },
      (error: unknown) => {
        // It is tried again at the next look.
        this.#look = undefined;
        log.error({ canary: name, error: sentenceOf(error) }, 'a canary cannot be rolled back');
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#flag.close();
  }

  async #prepared(policy: KeptPolicy): Promise<PreparedPolicy> {
    const { adopt, drop } = await this.#options.prepare(policy);
    return {
      drop,
      adopt: () => {
        adopt();
        this.#inForceSinceMs = this.#options.now();
        this.#observe(policy);
      },
    };
  }

  #observe({ spec: { canary } }: KeptPolicy): void {
    if (canary) this.#tally.begin(canary.name);
    if (isSameCanary(this.#watch?.canary, canary)) return;
    this.#watch = canary && new CanaryWatch(canary, this.#options.now());
    this.#look = undefined;
  }

  #tell({ changed, changes }: PolicyOutcome): void {
    const { version, origin, name } = this.current;
    if (!changed) return;
    const paths = changes.map(({ path }) => path).slice(0, mostPaths);
    this.#options.log.info(
      { policy: name, version, from: origin, changes: paths.join(', ') },
      'another routing policy is in force',
    );
  }
}

type DeskParts = {
  keeper: PolicyKeeper;
  flag: PolicyFlag;
  file: FileProvider | undefined;
  health: SourceHealth;
  first: unknown;
};
type RemoteSource = Extract<PolicySource, { kind: 'ofrep' }>;

/** The canaries that the audit log says were rolled back. */
async function rolledBack(audit: AuditLog): Promise<string[]> {
  const entries = await audit.entries(0, Number.MAX_SAFE_INTEGER);
  return entries.filter(({ action }) => action === rollbackAction).map(({ target }) => target);
}

function canaryView(name: string, { verdict, message, figures }: CanaryLook): PolicyView['canary'] {
  return { name, verdict, why: message, figures };
}

function sentenceOf(error: unknown): string {
  const problems = error instanceof SpeechfbError ? error.problems : [];
  const sentences = problems.map(({ where, message }) => (where === undefined ? message : `${where}: ${message}`));
  return [error instanceof Error ? error.message : String(error), ...sentences].join('; ');
}

const lookMs = 1000;
const retryMs = 10_000;
const mostPaths = 20;

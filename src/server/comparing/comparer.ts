import type { Samples } from '../../acoustic/engine/types.ts';
import { heardOutcome, type UtteranceOutcome } from '../../routing/canary/heard.ts';
import type { CanarySide } from '../../routing/canary/watch.ts';
import { isShadowed } from '../../routing/decide/draws.ts';
import type { CanarySpec } from '../../routing/policy/canary.ts';
import { isSelfHosted } from '../../routing/policy/capabilities.ts';
import type { ShadowRecord } from '../../shadow/record.ts';
import type { PolicyInForce } from '../hearing/managed-backend.ts';
import type { SessionWitness, UtteranceWitness, Witness, WitnessedRoute } from '../hearing/witness.ts';
import { ShadowHearing } from './shadow-hearing.ts';
import { TenantShares } from './tenant-shares.ts';
import { type HeardSide, utteranceRecord } from './utterance-record.ts';

export type ComparerOptions = {
  policy(): PolicyInForce;
  /** Name and version of the server's own model. */
  ownModel: string;
  /** A session of the canary of that name begins, or one beside it. */
  onCanarySession?(name: string, side: CanarySide): void;
  /** An utterance of such a session is over. */
  onCanary(name: string, side: CanarySide, outcome: UtteranceOutcome): void;
  /**
   * Whether learners are spared something for the load: machines of our own hear nothing unseen
   * meanwhile; default: never.
   */
  isStrained?(): boolean;
  /** Keeps a record; absent: nobody asked for a log. */
  keep?: ((record: ShadowRecord) => void) | undefined;
  /** Monotonic, ms. */
  now(): number;
  /** Since 1970, ms. */
  wallMs(): number;
};

/**
 * Compares what is written of sessions: those of a canary with those beside them, and those that a
 * shadow hears with what it writes. Sessions of no interest cost nothing.
 */
export class Comparer implements Witness {
  readonly #options: ComparerOptions;
  readonly #shares: TenantShares;

  constructor(options: ComparerOptions) {
    this.#options = options;
    this.#shares = new TenantShares(options.now);
  }

  session(route: WitnessedRoute, sampleRateHz: number): SessionWitness | undefined {
    const policy = this.#options.policy();
    const canary = route.variant && policy.spec.canary;
    const shadow = this.#shadowOf(policy, route, sampleRateHz);
    if (!canary && !shadow) return undefined;
    if (canary && route.variant) this.#options.onCanarySession?.(canary.name, route.variant);
    return new ComparedSession(this.#options, { route, canary, shadow, policy, sampleRateHz });
  }

  #shadowOf(
    { spec, backends, models, shadow: guarded }: PolicyInForce,
    route: WitnessedRoute,
    sampleRateHz: number,
  ): ShadowHearing | undefined {
    const { shadow } = spec;
    const { session } = route;
    const backend = guarded ?? backends.get(shadow?.to ?? '');
    if (!shadow || !backend || !isShadowed(spec, session.id, session.language)) return undefined;
    const { price, kind } = spec.backends.find(({ name }) => name === shadow.to)!;
    // A backend learns nothing beside itself, nor a model.
    const isItself = kind === 'local' && models?.get(shadow.to) === route.model;
    if (route.backend.name === shadow.to || isItself) return undefined;
    const isOurs = isSelfHosted(kind);
    if (isOurs && this.#options.isStrained?.()) return undefined;
    // Full, over its cost or broken: the session goes on without it.
    if (backend.hindrance() !== undefined) return undefined;
    const share = shadow.perTenant && this.#shares.take(session.tenant, shadow.perTenant);
    if (shadow.perTenant && !share) return undefined;
    const model = kind === 'local' ? (models?.get(shadow.to)?.identity ?? this.#options.ownModel) : null;
    return new ShadowHearing({ session, sampleRateHz, backend, model, price, isOurs, share, now: this.#options.now });
  }
}

type Compared = {
  route: WitnessedRoute;
  canary: CanarySpec | undefined;
  shadow: ShadowHearing | undefined;
  policy: PolicyInForce;
  sampleRateHz: number;
};

class ComparedSession implements SessionWitness {
  readonly #options: ComparerOptions;
  readonly #compared: Compared;
  /** Where it was to be heard: to be heard elsewhere in the end is a fault of that. */
  readonly #decided: string;
  #shadow: ShadowHearing | undefined;
  #open: ComparedUtterance | undefined;
  #count = 0;

  constructor(options: ComparerOptions, compared: Compared) {
    this.#options = options;
    this.#compared = compared;
    this.#shadow = compared.shadow;
    this.#decided = compared.route.meant ?? compared.route.backend.name;
  }

  begin(reference: string): UtteranceWitness {
    if (this.#shadow && !this.#shadow.mayBegin(this.#options.isStrained?.() ?? false)) {
      this.#shadow.close();
      this.#shadow = undefined;
    }
    const isShadowed = this.#shadow !== undefined;
    const open: ComparedUtterance = { number: this.#count++, reference, samples: 0, isShadowed };
    this.#open = open;
    const shadowed = this.#shadow?.begin(reference, (side) => {
      open.unseen = side;
      this.#keep(open);
    });
    return {
      over: () => {
        open.endedMs ??= this.#options.now();
        shadowed?.over();
      },
      told: (text, backend, phones) => {
        if (open.served) return;
        open.served = this.#served(open, { text, backend, phones });
        this.#judge(open);
        this.#keep(open);
      },
    };
  }

  push(samples: Samples, startMs: number): void {
    if (this.#open) this.#open.samples += samples.length;
    this.#shadow?.push(samples, startMs);
  }

  close(): void {
    this.#shadow?.close();
  }

  #served(
    { samples, endedMs }: ComparedUtterance,
    { text, backend, phones }: Pick<HeardSide, 'text' | 'backend' | 'phones'>,
  ): HeardSide {
    const { policy, route, sampleRateHz } = this.#compared;
    const audioMs = (samples / sampleRateHz) * 1000;
    const { price = 0, kind = 'local' } = policy.spec.backends.find(({ name }) => name === backend) ?? {};
    const model = kind === 'local' ? (route.model?.identity ?? this.#options.ownModel) : null;
    const nowMs = this.#options.now();
    const finalMs = text === undefined ? undefined : nowMs - (endedMs ?? nowMs);
    const failed = backend === this.#decided ? null : 'fault';
    return { backend, model, phones, text, finalMs, audioMs, dollars: (audioMs / 60_000) * price, failed };
  }

  /** Tells the canary's judge of an utterance. */
  #judge(open: ComparedUtterance): void {
    const { canary, route } = this.#compared;
    if (!canary || !route.variant) return;
    const { words, served } = this.#recordOf(open);
    const edits = words === null || served.wrong === null ? undefined : { wrong: served.wrong, words };
    const finalAfterMs = served.final_ms ?? Number.POSITIVE_INFINITY;
    const outcome = heardOutcome(canary, { finalAfterMs, edits, isElsewhere: served.failed !== null });
    this.#options.onCanary(canary.name, route.variant, outcome);
  }

  /** Keeps an utterance of which both sides are known, or the one that there is. */
  #keep(open: ComparedUtterance): void {
    const { keep } = this.#options;
    if (keep && open.served && (open.unseen || !open.isShadowed)) keep(this.#recordOf(open));
  }

  #recordOf({ number, reference, served, unseen }: ComparedUtterance): ShadowRecord {
    const { route, canary } = this.#compared;
    const { session, variant = null } = route;
    const heard = { session, utterance: number, reference, variant, canary: canary?.name };
    return utteranceRecord({ ...heard, served: served!, shadow: unseen }, new Date(this.#options.wallMs()));
  }
}

type ComparedUtterance = {
  number: number;
  reference: string;
  samples: number;
  isShadowed: boolean;
  endedMs?: number;
  served?: HeardSide;
  unseen?: HeardSide;
};

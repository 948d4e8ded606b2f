import type { Hearing, HearingEvents, HearingInput } from '../../backends/backend.ts';
import type { Hindrance, RouteDecision } from '../../routing/decide/decide.ts';
import type { RoutedBackend } from '../../routing/policy/spec.ts';
import type { LocalModel } from './local-model.ts';
import type { ManagedBackend } from './managed-backend.ts';
import type { Meter } from './meter.ts';
import type { BackendPlaces } from './places.ts';
import type { RoutedSession } from './routed-session.ts';
import type { SessionWitness, Witness } from './witness.ts';

export type RouteOptions = {
  session: RoutedSession;
  /** The rule that decided it; undefined: it was decided at another gateway. */
  rule: string | undefined;
  variant: RouteDecision['variant'];
  /** The backend that the draw gave; undefined: it was decided at another gateway. */
  meant: string | undefined;
  /** The backend that was decided on, and those that take its sessions, in order. */
  chain: readonly RoutedBackend[];
  backends: ReadonlyMap<string, ManagedBackend>;
  /** Whether it has no place of the own model, so that nobody scores it. */
  isElsewhere: boolean;
  /** What scores it as long as it lasts; undefined: the server's own model. */
  model: LocalModel | undefined;
  places: BackendPlaces;
  hindranceOf(backend: RoutedBackend): Hindrance | undefined;
  meter: Meter;
  /** Takes note of what is written; absent: nobody does. */
  witness?: Witness | undefined;
  onFallback(failed: string, why: { class: string; message: string }, to: string | undefined): void;
};

/** What writes a session's transcript now: the own model, or a hearing elsewhere. */
export type Writer = { name: string; kind: 'local' } | { name: string; kind: 'managed'; hearing: Hearing };

/**
 * The way of one session through the backends of its chain: one has its place and hears it, and
 * what it has heard is metered.
 */
export class SessionRoute {
  readonly #options: RouteOptions;
  /** Where in the chain it is. */
  #at = 0;
  #free: (() => void) | undefined;
  #heardMs = 0;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  get session(): RoutedSession {
    return this.#options.session;
  }

  get rule(): string | undefined {
    return this.#options.rule;
  }

  get variant(): RouteDecision['variant'] {
    return this.#options.variant;
  }

  get meant(): string | undefined {
    return this.#options.meant;
  }

  get isElsewhere(): boolean {
    return this.#options.isElsewhere;
  }

  get model(): LocalModel | undefined {
    return this.#options.model;
  }

  /** What takes note of the session; undefined: it is of no interest. */
  witness(sampleRateHz: number): SessionWitness | undefined {
    return this.#options.witness?.session(this, sampleRateHz);
  }

  /** The backend whose turn it is. */
  get backend(): RoutedBackend {
    return this.#options.chain[this.#at]!;
  }

  /**
   * Takes a place at the backend whose turn it is and begins to be heard there.
   *
   * @param giveWay a learner wants the place of this session of the batch lane
   */
  open(input: Omit<HearingInput, 'session' | 'language'>, on: HearingEvents, giveWay: () => void): Writer {
    const { session, backends, places } = this.#options;
    const { name, kind, maxSessions = Number.POSITIVE_INFINITY } = this.backend;
    this.#free = places.take(name, session.lane, maxSessions, giveWay);
    if (kind === 'local') return { name, kind };
    const { id, language } = session;
    const hearing = backends.get(name)!.open({ ...input, session: id, language }, on);
    return { name, kind: 'managed', hearing };
  }

  /** The backend whose turn it is was given so much sound. */
  heard(ms: number): void {
    this.#heardMs += ms;
  }

  /**
   * Goes on to the next backend of the chain that can; false: there is none, and the place is given
   * back.
   */
  fallBack(why: { class: string; message: string }): boolean {
    const { chain, hindranceOf, onFallback } = this.#options;
    const failed = this.backend.name;
    this.leave();
    const at = chain.findIndex((backend, index) => index > this.#at && hindranceOf(backend) === undefined);
    onFallback(failed, why, chain[at]?.name);
    if (at < 0) return false;
    this.#at = at;
    return true;
  }

  /** Goes back to the first backend of the chain that can; false: there is none. */
  restart(): boolean {
    const { chain, hindranceOf } = this.#options;
    const at = chain.findIndex((backend) => hindranceOf(backend) === undefined);
    if (at >= 0) this.#at = at;
    return at >= 0;
  }

  /** Meters what was heard since this was done before. */
  meter(): void {
    if (this.#heardMs === 0) return;
    const { session, meter } = this.#options;
    const audioMs = this.#heardMs;
    this.#heardMs = 0;
    const { name, price } = this.backend;
    meter.heard({ session, backend: name, audioMs, dollars: (audioMs / 60_000) * price });
  }

  /** Gives the place back, and meters what was heard. */
  leave(): void {
    this.meter();
    this.#free?.();
    this.#free = undefined;
  }

  /** The session is over here. */
  end(): void {
    const { session, meter } = this.#options;
    this.leave();
    meter.ended(session);
  }
}

import { decideRoute, type Hindrance, type RouteDecision, type RouteRequest } from '../../routing/decide/decide.ts';
import { canaryDrawOf, drawOf } from '../../routing/decide/draws.ts';
import type { CanarySpec } from '../../routing/policy/canary.ts';
import { isSelfHosted } from '../../routing/policy/capabilities.ts';
import { chainFrom } from '../../routing/policy/chain.ts';
import type { RoutedBackend } from '../../routing/policy/spec.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Refusal } from '../refusal.ts';
import type { LocalModel } from './local-model.ts';
import type { BackendFigures, ManagedBackend, PolicyInForce } from './managed-backend.ts';
import type { Meter } from './meter.ts';
import { BackendPlaces } from './places.ts';
import { type RouteOptions, SessionRoute } from './route.ts';
import type { RoutedSession } from './routed-session.ts';
import { Spills } from './spills.ts';
import type { Witness } from './witness.ts';

export type RouterOptions = {
  policy: PolicyInForce;
  /** Places that are taken, of places there are, on machines of our own. */
  load(): number;
  /** Whether machines of our own are still starting. */
  cold(): boolean;
  /** Until a session that finds no backend may come again, ms. */
  busyRetryMs: number;
  log: Log;
  /** Takes note of what backends hear. */
  meter: Meter;
  /** Takes note of what they write. */
  witness?: Witness | undefined;
  /** Whether the server's own model has no slot left at its nodes; default: never. */
  isOwnFull?: (() => boolean) | undefined;
  /** Whether the server spares its sessions something; default: never. */
  isStrained?: (() => boolean) | undefined;
  /** The models beside the server's that run; default: none. */
  models?: (() => readonly LocalModel[]) | undefined;
};

/** What operators and metrics are shown of a router. */
export type RoutingView = {
  policy: string;
  backends: readonly (Partial<BackendFigures> & {
    name: string;
    kind: RoutedBackend['kind'];
    sessions: number;
    maxSessions: number | undefined;
    hindrance: Hindrance | undefined;
    /** Name and version of the model that it names; undefined: it names none. */
    model: string | undefined;
  })[];
  /** Sessions that each rule has decided since the server started; those in force first. */
  decisions: readonly { rule: string; sessions: number }[];
  /** Hearings that failed, by backend and class, and where their sessions went on. */
  fallbacks: readonly { backend: string; class: string; count: number }[];
  /** What the managed backends cost an hour now, dollars. */
  spend: number;
};

/**
 * When a session is heard by others alone, without its phones: always in a language that the own
 * model does not know, and when all its places are taken by a rule that spills.
 */
export type Elsewhere = 'always' | 'when full';

/**
 * Decides which backend writes a session's transcript, and knows what each has. A decision costs
 * microseconds and waits for nothing.
 */
export class Router {
  readonly #options: RouterOptions;
  readonly #places = new BackendPlaces();
  readonly #spills: Spills;
  readonly #decisions = new Map<string, number>();
  readonly #fallbacks = new Map<string, { backend: string; class: string; count: number }>();
  #policy: PolicyInForce;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#spills = new Spills(options.log);
  }

  /**
   * New sessions see this policy from here on; those that run keep what they have, so that their
   * backends must stay open for them.
   */
  adopt(policy: PolicyInForce): void {
    this.#policy = policy;
  }

  get policy(): PolicyInForce {
    return this.#policy;
  }

  /** Whether the server spares its sessions something: nothing else should take from them. */
  get isStrained(): boolean {
    return this.#options.isStrained?.() ?? false;
  }

  /** The models beside the server's that run, those among them that only sessions still use. */
  get models(): readonly LocalModel[] {
    return this.#options.models?.() ?? [];
  }

  /**
   * Whether others hear a session that starts without a place of the own model: its rule lets it go
   * without phones, and whichever way it is drawn a backend can take it.
   */
  spills(session: Omit<RoutedSession, 'id'>): boolean {
    const { backends, canary } = this.#policy.spec;
    const { rule } = this.decide({ ...session, id: '' });
    if (rule.spill === undefined) return false;
    const drawn = Object.keys(rule.to).filter((name) => rule.to[name]! > 0);
    const ways = canary && drawn.includes(canary.from) ? [...drawn, canary.to] : drawn;
    return ways.every((name) => chainFrom(name, backends).some((one) => this.#takes(one, session.lane)));
  }

  /** Whether any backend of others takes sessions now. */
  takesAny(): boolean {
    return this.#policy.spec.backends.some((backend) => this.#takes(backend, 'live'));
  }

  /**
   * Where a session that starts is heard, or why nowhere.
   *
   * @param isElsewhere it has no place of the own model
   */
  route(session: RoutedSession, isElsewhere = false): SessionRoute | Refusal {
    const decision = this.decide(session, isElsewhere);
    const { rule, backend, hindered } = decision;
    if (!backend) return this.#nowhere(decision);
    this.#decisions.set(rule.name, (this.#decisions.get(rule.name) ?? 0) + 1);
    this.#spills.note(hindered, backend.name);
    const model = isElsewhere ? undefined : this.#scorerFrom(backend.name, session.lane);
    return this.#routeTo(session, backend.name, { decision, isElsewhere, model });
  }

  /**
   * Where a session is heard that was at `name` at another gateway: there, or where its chain
   * leads; where nobody knows that backend, as if it started. No model but `model` goes on with it.
   */
  resume(
    session: RoutedSession,
    name: string | undefined,
    isElsewhere = false,
    model?: LocalModel,
  ): SessionRoute | Refusal {
    const { spec } = this.#policy;
    const keeps = ({ kind, name: own }: RoutedBackend): boolean => kind !== 'local' || this.#modelOf(own) === model;
    const isAble = (backend: RoutedBackend): boolean =>
      keeps(backend) && this.#hindranceAt(backend, session.lane, isElsewhere) === undefined;
    const able =
      chainFrom(name ?? '', spec.backends).find(isAble) ??
      (model && spec.backends.find((backend) => backend.kind === 'local' && isAble(backend)));
    if (able) return this.#routeTo(session, able.name, { decision: undefined, isElsewhere, model });
    const anew = this.route(session, isElsewhere);
    if ('code' in anew || isElsewhere || anew.model === model) return anew;
    const who = model?.identity ?? "the server's own model";
    if (spec.backends.some((backend) => backend.kind === 'local' && keeps(backend)))
      return {
        code: 'server_busy',
        message: `no backend takes a session of ${who} now`,
        retryAfterMs: this.#options.busyRetryMs,
      };
    const message = `the session was scored by ${who}, which no backend of the policy has any more`;
    return { code: 'session_not_found', message };
  }

  /** The decision alone, for the facts of this moment; nothing is counted. */
  decide(session: RoutedSession, isElsewhere = false): RouteDecision {
    const { spec } = this.#policy;
    const { lane } = session;
    return decideRoute(spec, this.requestOf(session), (backend) => this.#hindranceAt(backend, lane, isElsewhere));
  }

  /** What the rules look at: the session, and the moment. */
  requestOf({ id, language, tenant, device, lane }: RoutedSession): RouteRequest {
    const { load, cold } = this.#options;
    return {
      ...{ language, tenant, device, lane },
      load: load(),
      spend: this.#spend(),
      cold: cold(),
      draw: drawOf('route', id),
      canaryDraw: canaryDrawOf(this.#policy.spec, id),
    };
  }

  view(): RoutingView {
    const { name, spec } = this.#policy;
    const none = spec.rules.map((rule): [string, number] => [rule.name, 0]);
    const counts = new Map([...none, ...this.#decisions]);
    return {
      policy: name,
      backends: spec.backends.map((backend) => ({
        name: backend.name,
        kind: backend.kind,
        sessions: this.#places.at(backend.name),
        maxSessions: backend.maxSessions,
        hindrance: this.#hindranceOf(backend, 'live'),
        model: this.#modelOf(backend.name)?.identity,
        ...figuresOf(this.#policy.backends.get(backend.name)),
      })),
      decisions: [...counts].map(([rule, sessions]) => ({ rule, sessions })),
      fallbacks: [...this.#fallbacks.values()],
      spend: this.#spend(),
    };
  }

  #routeTo(session: RoutedSession, name: string, { decision, isElsewhere, model }: RouteTaken): SessionRoute {
    const policy = this.#policy;
    const chain = chainFrom(name, policy.spec.backends);
    return new SessionRoute({
      session,
      rule: decision?.rule.name,
      ...sideOf(decision, policy.spec.canary),
      // A model of ours that does not score it cannot write for it either.
      chain: chain.filter(({ kind, name: own }) => kind !== 'local' || (!isElsewhere && this.#modelOf(own) === model)),
      isElsewhere,
      model,
      backends: policy.backends,
      places: this.#places,
      hindranceOf: (backend) => this.#hindranceOf(backend, session.lane, policy),
      meter: this.#options.meter,
      witness: this.#options.witness,
      onFallback: (failed, why, to) => this.#fellBack(failed, why, to),
    });
  }

  /**
   * What scores a session that `name` hears: the first model of ours on its chain that can, so that
   * whoever writes its phones can write its text too; undefined: the server's own.
   */
  #scorerFrom(name: string, lane: RouteRequest['lane']): LocalModel | undefined {
    const ours = chainFrom(name, this.#policy.spec.backends).filter(({ kind }) => kind === 'local');
    const able =
      ours.find((backend) => this.#hindranceOf(backend, lane) === undefined) ??
      ours.find((backend) => this.#hindranceOf(backend, lane) !== 'broken');
    return able && this.#modelOf(able.name);
  }

  #modelOf(backend: string): LocalModel | undefined {
    return this.#policy.models?.get(backend);
  }

  #takes(backend: RoutedBackend, lane: RouteRequest['lane']): boolean {
    return this.#hindranceAt(backend, lane, true) === undefined;
  }

  #hindranceAt(backend: RoutedBackend, lane: RouteRequest['lane'], isElsewhere: boolean): Hindrance | undefined {
    return isElsewhere && backend.kind === 'local' ? 'full' : this.#hindranceOf(backend, lane);
  }

  #hindranceOf(backend: RoutedBackend, lane: RouteRequest['lane'], policy = this.#policy): Hindrance | undefined {
    const { name, kind, maxSessions = Number.POSITIVE_INFINITY } = backend;
    // A batch session gives its place to a learner who wants it.
    const taken = lane === 'batch' ? this.#places.at(name) : this.#places.at(name, 'live');
    const isFull = taken >= maxSessions;
    if (kind === 'local') {
      const { load, isOwnFull } = this.#options;
      const model = policy.models?.get(name);
      if (model ? model.hindrance() : isOwnFull?.()) return model?.hindrance() ?? 'full';
      return isFull || load() >= 1 ? 'full' : undefined;
    }
    const managed = policy.backends.get(name);
    if (!managed) return 'broken';
    const why = managed.hindrance()?.why;
    const mayYield = lane === 'live' && why === 'full' && this.#places.at(name, 'batch') > 0;
    return mayYield ? (isFull ? 'full' : undefined) : (why ?? (isFull ? 'full' : undefined));
  }

  /** Sessions at managed backends at their prices, as if everybody spoke without end. */
  #spend(): number {
    let dollars = 0;
    for (const { name, kind, price } of this.#policy.spec.backends)
      if (!isSelfHosted(kind)) dollars += this.#places.at(name) * price * 60;
    return dollars;
  }

  #nowhere({ rule, hindered }: RouteDecision): Refusal {
    const list = hindered.map(({ backend, why }) => `${backend} is ${why}`).join(', ');
    const message = `no backend takes a session of rule "${rule.name}" now: ${list}`;
    return { code: 'server_busy', message, retryAfterMs: this.#options.busyRetryMs };
  }

  #fellBack(
    backend: string,
    { class: why, message }: { class: string; message: string },
    to: string | undefined,
  ): void {
    const key = `${backend} ${why}`;
    const known = this.#fallbacks.get(key) ?? { backend, class: why, count: 0 };
    known.count += 1;
    this.#fallbacks.set(key, known);
    const fields = { backend, class: why, to: to ?? 'nowhere', why: message };
    this.#options.log.warn(fields, 'a backend failed in a session, which goes on elsewhere');
  }
}

type RouteTaken = {
  decision: RouteDecision | undefined;
  isElsewhere: boolean;
  /** What scores the session; undefined: the server's own model. */
  model: LocalModel | undefined;
};

/**
 * The side of a canary that a session counts for. One that its backend had no room for says nothing
 * of the backend, and counts for neither; one whose backend is broken says a lot.
 */
function sideOf(
  decision: RouteDecision | undefined,
  canary: CanarySpec | undefined,
): Pick<RouteOptions, 'variant' | 'meant'> {
  if (!decision) return { variant: undefined, meant: undefined };
  const { variant, drawn, hindered } = decision;
  const [first] = hindered;
  const meant = canary && variant === 'canary' ? canary.to : drawn;
  return { variant: first && first.why !== 'broken' ? undefined : variant, meant };
}

function figuresOf(managed: ManagedBackend | undefined): Partial<BackendFigures> {
  return managed ? managed.status() : {};
}

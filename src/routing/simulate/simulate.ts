import { decideRoute, type Hindrance, type RouteRequest } from '../decide/decide.ts';
import { isSelfHosted } from '../policy/capabilities.ts';
import type { PolicySpec, RoutedBackend } from '../policy/spec.ts';

/** Demand and our own supply at a moment; both hold until the next. */
type LoadMoment = { atMs: number; wanted: number; capacity: number };

/** A part of all learners. */
export type LearnerGroup = Pick<RouteRequest, 'language' | 'tenant' | 'device' | 'lane'> & { share: number };

export type RoutedLoad = {
  moments: readonly LoadMoment[];
  durationMs: number;
  groups: readonly LearnerGroup[];
  /** Mean length of a session; its lengths are exponential. */
  sessionMs: number;
};

type BackendUse = {
  backend: RoutedBackend;
  audioMinutes: number;
  dollars: number;
  peakSessions: number;
  /** How long it could not take sessions that came to it. */
  hinderedMs: Record<Hindrance, number>;
};

export type RoutedOutcome = {
  audioMinutes: number;
  dollars: number;
  /** Minutes of learners who spoke and had no backend. */
  unservedMinutes: number;
  backends: BackendUse[];
  /** Sessions that each rule decided. */
  rules: { rule: string; sessions: number }[];
};

/**
 * Plays a load over a policy, as a fluid: sessions in fractions, those of a group and backend end
 * at the rate 1 / sessionMs, and what is then missing of the demand starts, in small portions, so
 * that each sees the load that the ones before it made. Who finds no backend comes again.
 */
export function simulateRouting(policy: PolicySpec, load: RoutedLoad): RoutedOutcome {
  return new RoutedRun(policy, load).run();
}

/** A portion of what starts is this part of it, and no step is longer than this. */
const portions = 20;
const longestStepMs = 10_000;
const hourMs = 3_600_000;

type BackendState = BackendUse & { spentThisHour: number; hinderedNow: Set<Hindrance> };

class RoutedRun {
  readonly #policy: PolicySpec;
  readonly #load: RoutedLoad;
  readonly #states: readonly BackendState[];
  /** Sessions of each group at each backend. */
  readonly #sessions: number[][];
  readonly #rules = new Map<string, number>();
  #capacity = 0;
  #hour = 0;
  #unservedMinutes = 0;

  constructor(policy: PolicySpec, load: RoutedLoad) {
    this.#policy = policy;
    this.#load = load;
    this.#states = policy.backends.map((backend) => ({
      backend,
      audioMinutes: 0,
      dollars: 0,
      peakSessions: 0,
      hinderedMs: { full: 0, broken: 0, 'over its cost': 0 },
      spentThisHour: 0,
      hinderedNow: new Set(),
    }));
    this.#sessions = load.groups.map(() => policy.backends.map(() => 0));
    for (const { name } of policy.rules) this.#rules.set(name, 0);
  }

  run(): RoutedOutcome {
    const { moments, durationMs } = this.#load;
    for (const [at, moment] of moments.entries()) {
      const untilMs = moments[at + 1]?.atMs ?? durationMs;
      for (let nowMs = moment.atMs; nowMs < untilMs; nowMs += longestStepMs)
        this.#step(moment, nowMs, Math.min(longestStepMs, untilMs - nowMs));
    }
    const backends = this.#states.map(({ spentThisHour, hinderedNow, ...use }) => use);
    return {
      audioMinutes: sum(backends.map((use) => use.audioMinutes)),
      dollars: sum(backends.map((use) => use.dollars)),
      unservedMinutes: this.#unservedMinutes,
      backends,
      rules: [...this.#rules].map(([rule, sessions]) => ({ rule, sessions })),
    };
  }

  #step({ wanted, capacity }: LoadMoment, nowMs: number, forMs: number): void {
    this.#capacity = capacity;
    const hour = Math.floor(nowMs / hourMs);
    if (hour !== this.#hour) for (const state of this.#states) state.spentThisHour = 0;
    this.#hour = hour;
    for (const state of this.#states) state.hinderedNow.clear();
    const stay = Math.exp(-forMs / this.#load.sessionMs);
    for (const [index, group] of this.#load.groups.entries()) this.#end(index, group.share * wanted, stay);
    const missing = this.#load.groups.map(({ share }, index) =>
      Math.max(0, share * wanted - sum(this.#sessions[index]!)),
    );
    for (let portion = 0; portion < portions; portion++)
      for (const [index, sessions] of missing.entries()) if (sessions > 0) this.#start(index, sessions / portions);
    this.#account(wanted, forMs);
  }

  /** Sessions end by themselves, and as many more as the demand has fallen below what is there. */
  #end(group: number, wanted: number, stay: number): void {
    const sessions = this.#sessions[group]!;
    const left = sum(sessions) * stay;
    const factor = stay * (left > wanted ? wanted / left : 1);
    for (let at = 0; at < sessions.length; at++) sessions[at]! *= factor;
  }

  #start(index: number, sessions: number): void {
    const { language, tenant, device, lane } = this.#load.groups[index]!;
    const capacity = this.#capacity;
    const own = sum(this.#states.map(({ backend }, at) => (isSelfHosted(backend.kind) ? this.#at(at) : 0)));
    const load = capacity > 0 ? own / capacity : 1;
    const spend = sum(
      this.#states.map(({ backend }, at) => (isSelfHosted(backend.kind) ? 0 : this.#at(at) * backend.price * 60)),
    );
    const request = { language, tenant, device, lane, load, spend, cold: capacity === 0 };
    for (const [begin, share] of drawsOf(this.#policy, request)) {
      const decision = decideRoute(this.#policy, { ...request, draw: begin }, (backend) => this.#hindranceOf(backend));
      for (const { backend, why } of decision.hindered)
        this.#states.find((state) => state.backend.name === backend)!.hinderedNow.add(why);
      const { name } = decision.rule;
      this.#rules.set(name, this.#rules.get(name)! + (decision.backend ? sessions * share : 0));
      if (decision.backend)
        this.#sessions[index]![this.#policy.backends.indexOf(decision.backend)]! += sessions * share;
    }
  }

  #hindranceOf(backend: RoutedBackend): Hindrance | undefined {
    const at = this.#policy.backends.indexOf(backend);
    const { spentThisHour } = this.#states[at]!;
    if (backend.most !== undefined && spentThisHour >= backend.most) return 'over its cost';
    const own = isSelfHosted(backend.kind) ? this.#capacity : Number.POSITIVE_INFINITY;
    return this.#at(at) >= Math.min(backend.maxSessions ?? Number.POSITIVE_INFINITY, own) ? 'full' : undefined;
  }

  /** Sessions at a backend. */
  #at(backend: number): number {
    return sum(this.#sessions.map((sessions) => sessions[backend]!));
  }

  #account(wanted: number, forMs: number): void {
    const minutes = forMs / 60_000;
    let served = 0;
    for (const [at, state] of this.#states.entries()) {
      const sessions = this.#at(at);
      served += sessions;
      state.audioMinutes += sessions * minutes;
      state.dollars += sessions * minutes * state.backend.price;
      state.spentThisHour += sessions * minutes * state.backend.price;
      state.peakSessions = Math.max(state.peakSessions, sessions);
      for (const why of state.hinderedNow) state.hinderedMs[why] += forMs;
    }
    this.#unservedMinutes += Math.max(0, wanted - served) * minutes;
  }
}

/** A draw in the middle of each share of the rule that fits, and that share. */
function drawsOf(policy: PolicySpec, request: Omit<RouteRequest, 'draw'>): [draw: number, share: number][] {
  const { rule } = decideRoute(policy, { ...request, draw: 0 }, () => undefined);
  let begin = 0;
  return Object.values(rule.to)
    .filter((share) => share > 0)
    .map((share) => {
      begin += share;
      return [begin - share / 2, share];
    });
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

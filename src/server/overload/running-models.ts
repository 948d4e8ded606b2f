import type { AcousticEngine, EngineStats } from '../../acoustic/engine/types.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { ModelFigures } from '../../telemetry/routing-metrics.ts';
import type { SlotNumbers, SlotSource } from '../../telemetry/slot-metrics.ts';
import { type NodeDirectory, type NodeView, nodesOnce } from '../node-directory.ts';

/** A model that runs, as far as the load of the machine is concerned. */
type RunningModel = {
  readonly engine: Pick<AcousticEngine, 'model' | 'stats' | 'preferGroups' | 'tidy'>;
  readonly scoring: { stats?(): ScoringStats; tidy?(): void };
};

/** Where a model runs that runs elsewhere. */
type Elsewhere = { readonly slots?: SlotSource | undefined; readonly nodes?: NodeDirectory | undefined };

export type RunningModelsOptions = {
  /** The server's own model; undefined while it warms up. */
  own(): RunningModel | undefined;
  /** Where the own model runs, which is known while that warms up, too. */
  elsewhere(): Elsewhere;
  /** Models that run beside it, on the same cores. */
  beside(): readonly (RunningModel & Elsewhere & { readonly sessions: number })[];
  /** Sessions that all of them hear. */
  sessions(): number;
};

/**
 * All models of a server as metrics show them: what they do adds up, and how late and how busy they
 * are is that of the one in most trouble. Whom to let in goes by the model that would hear him. How
 * long threads were silent is that of the own model: one beside it that stands still is hindered,
 * and takes nothing from the others.
 */
export class RunningModels {
  readonly #options: RunningModelsOptions;

  constructor(options: RunningModelsOptions) {
    this.#options = options;
  }

  /** Undefined while the own model warms up. */
  engines(): EngineStats | undefined {
    const [own, ...beside] = this.#all().map(({ engine }) => engine.stats());
    return own && joined(own, beside);
  }

  /** Undefined where scoring has no threads here. */
  scoring(): ScoringStats | undefined {
    const all = this.#all().flatMap(({ scoring }) => scoring.stats?.() ?? []);
    const own = this.#options.own()?.scoring.stats?.();
    const worst = all.reduce((one, other) => (other.waitP95Ms * other.busy > one.waitP95Ms * one.busy ? other : one), {
      waitP95Ms: 0,
      busy: 0,
      silentMs: 0,
    });
    return own && { ...worst, silentMs: own.silentMs };
  }

  /** Sessions for which the nodes have slots, taken ones too; without nodes there is no bound. */
  places(): number {
    return this.#elsewhere().reduce(
      (sum, { slots }) => sum + slots.places(),
      this.#options.elsewhere().slots ? 0 : Number.POSITIVE_INFINITY,
    );
  }

  /** The slots of all nodes; undefined: all models run here. */
  slots(): SlotNumbers | undefined {
    const [first, ...rest] = this.#elsewhere().map(({ slots }) => slots.stats());
    return first && rest.reduce(sumOf, first);
  }

  /** Each node once, whichever model it has. */
  nodes(): readonly NodeView[] {
    return nodesOnce(this.#elsewhere().flatMap(({ nodes }) => nodes?.nodes() ?? []));
  }

  /** The node at which a session is scored now; undefined: here, or nowhere yet. */
  nodeOf(session: string): string | undefined {
    for (const { nodes } of this.#elsewhere()) {
      const node = nodes?.nodeOf(session);
      if (node !== undefined) return node;
    }
    return undefined;
  }

  /** Each by itself, the own one first. */
  figures(): ModelFigures[] {
    const beside = this.#options.beside();
    const slots = [this.#options.elsewhere(), ...beside].map((model) => model.slots?.stats());
    const others = beside.reduce((sum, { sessions }) => sum + sessions, 0);
    const counts = [this.#options.sessions() - others, ...beside.map(({ sessions }) => sessions)];
    return this.#all().map(({ engine }, at) => {
      const { name: model, version } = engine.model;
      const { queueDepth, stepP95Ms, busy } = engine.stats();
      const doing = { sessions: Math.max(0, counts[at]!), queueDepth, stepP95Ms, busy };
      return { model, version, ...doing, slots: slots[at] };
    });
  }

  /** Share of their time that threads worked, 0-1, as they say themselves. */
  busy(): (number | undefined)[] {
    return this.#all().flatMap(({ engine, scoring }) => [engine.stats().busy, scoring.stats?.().busy]);
  }

  preferGroups(wanted: boolean): void {
    for (const { engine } of this.#all()) engine.preferGroups?.(wanted);
  }

  tidy(): void {
    for (const { engine, scoring } of this.#all()) {
      engine.tidy?.();
      scoring.tidy?.();
    }
  }

  /** The models that run elsewhere, the own one first. */
  #elsewhere(): (Elsewhere & { slots: SlotSource })[] {
    return [this.#options.elsewhere(), ...this.#options.beside()].flatMap(({ slots, nodes }) =>
      slots ? { slots, nodes } : [],
    );
  }

  /** The own one first; none while that warms up. */
  #all(): RunningModel[] {
    const own = this.#options.own();
    return own ? [own, ...this.#options.beside()] : [];
  }
}

function sumOf(one: SlotNumbers, other: SlotNumbers): SlotNumbers {
  const rehoused = { ...one.rehoused };
  for (const [why, count] of Object.entries(other.rehoused ?? {})) rehoused[why] = (rehoused[why] ?? 0) + count;
  return {
    slots: one.slots + other.slots,
    free: one.free + other.free,
    trunks: one.trunks + other.trunks,
    refused: one.refused + other.refused,
    spilled: (one.spilled ?? 0) + (other.spilled ?? 0),
    rehoused,
  };
}

function joined(own: EngineStats, beside: readonly EngineStats[]): EngineStats {
  if (beside.length === 0) return own;
  const all = [own, ...beside];
  const worst = all.reduce((one, other) => (other.stepP95Ms * other.busy > one.stepP95Ms * one.busy ? other : one));
  const sum = (of: (stats: EngineStats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  const runs = sum((stats) => stats.runs);
  return {
    streams: sum((stats) => stats.streams),
    queueDepth: sum((stats) => stats.queueDepth),
    stepP95Ms: worst.stepP95Ms,
    busy: worst.busy,
    runs,
    meanBatch: runs === 0 ? 0 : sum((stats) => stats.meanBatch * stats.runs) / runs,
    silentMs: own.silentMs,
    restarts: sum((stats) => stats.restarts),
  };
}

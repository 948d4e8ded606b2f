import type { AcousticEngine, EngineStats } from '../../acoustic/engine/types.ts';
import type { ScoringStats } from '../../scoring/threads/pool.ts';
import type { ModelFigures } from '../../telemetry/routing-metrics.ts';

/** A model that runs, as far as the load of the machine is concerned. */
type RunningModel = {
  readonly engine: Pick<AcousticEngine, 'model' | 'stats' | 'preferGroups' | 'tidy'>;
  readonly scoring: { stats?(): ScoringStats; tidy?(): void };
};

export type RunningModelsOptions = {
  /** The server's own model; undefined while it warms up. */
  own(): RunningModel | undefined;
  /** Models that run beside it, on the same cores. */
  beside(): readonly (RunningModel & { readonly sessions: number })[];
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

  /** Each by itself, the own one first. */
  figures(): ModelFigures[] {
    const beside = this.#options.beside();
    const others = beside.reduce((sum, { sessions }) => sum + sessions, 0);
    const counts = [this.#options.sessions() - others, ...beside.map(({ sessions }) => sessions)];
    return this.#all().map(({ engine }, at) => {
      const { name: model, version } = engine.model;
      const { queueDepth, stepP95Ms, busy } = engine.stats();
      return { model, version, sessions: Math.max(0, counts[at]!), queueDepth, stepP95Ms, busy };
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

  /** The own one first; none while that warms up. */
  #all(): RunningModel[] {
    const own = this.#options.own();
    return own ? [own, ...this.#options.beside()] : [];
  }
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

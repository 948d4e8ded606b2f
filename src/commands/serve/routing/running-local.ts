import type { AcousticEngine, EngineStats } from '../../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../../acoustic/model/model-package.ts';
import type { Hindrance } from '../../../routing/decide/decide.ts';
import type { ScoringStats } from '../../../scoring/threads/pool.ts';
import { overloaded, stalled } from '../../../server/admission/admission.ts';
import type { LocalModel, Scoring } from '../../../server/hearing/local-model.ts';
import type { Limits } from '../../../server/limits.ts';
import type { NodeDirectory } from '../../../server/node-directory.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { SlotSource } from '../../../telemetry/slot-metrics.ts';
import { defer } from '../../../threads/defer.ts';

/** What runs a model, here or at nodes. */
export type ModelRun = {
  scoring: Scoring;
  load(): Promise<AcousticEngine>;
  /** Absent: it runs here. */
  slots?: SlotSource;
  nodes?: NodeDirectory;
  /** Rejects when it can never score again. */
  died: Promise<never>;
  close(): Promise<void>;
};

/** How a model does, and what scores by it, where that has threads here. */
export type ModelStats = { engine: EngineStats; scoring: ScoringStats | undefined };

export type RunningLocalOptions = {
  folder: string;
  model: ModelPackage;
  run: ModelRun;
  limits: Limits;
  /** The server's own model, on the same machine; undefined while it warms up. */
  own(): ModelStats | undefined;
  log: Log;
  /** Nobody uses it any more, or it cannot go on. */
  onOver(): void;
};

/** Name and version of a model. */
export function identityOf({ name, version }: Pick<ModelPackage, 'name' | 'version'>): string {
  return `${name} ${version}`;
}

/** A model that runs beside the server's own as long as a policy or a session uses it. */
export class RunningLocal implements LocalModel {
  readonly identity: string;
  readonly slots: SlotSource | undefined;
  readonly nodes: NodeDirectory | undefined;
  readonly #options: RunningLocalOptions;
  #loading: Promise<void> | undefined;
  #engine: AcousticEngine | undefined;
  #policies = 0;
  #sessions = 0;
  #isDead = false;
  #closing: Promise<void> | undefined;

  constructor(options: RunningLocalOptions) {
    const { model, run, log, onOver } = options;
    this.#options = options;
    this.identity = identityOf(model);
    this.slots = run.slots;
    this.nodes = run.nodes;
    run.died.catch((error: unknown) => {
      if (this.#closing) return;
      this.#isDead = true;
      log.error({ model: this.identity, error: String(error) }, 'a model of a policy is gone: its backends are broken');
      onOver();
      this.#closeUnused();
    });
  }

  get folder(): string {
    return this.#options.folder;
  }

  get sessions(): number {
    return this.#sessions;
  }

  get isWarm(): boolean {
    return this.#engine !== undefined && !this.#isDead && !this.#closing;
  }

  /** Whether another policy may use it, too. */
  get isUsable(): boolean {
    return !this.#isDead && !this.#closing;
  }

  get engine(): AcousticEngine {
    if (!this.#engine) throw new Error(`${this.identity} is not loaded yet`);
    return this.#engine;
  }

  get scoring(): Scoring {
    return this.#options.run.scoring;
  }

  /**
   * One whose steps take too long is full where the machine is too slow for the server's own model,
   * too; where that is at its ease it is the version, which is as good as broken: a canary burns.
   */
  hindrance(): Hindrance | undefined {
    if (!this.#engine || !this.isUsable) return 'broken';
    const { limits, own } = this.#options;
    const stats = this.#engine.stats();
    const scoring = this.scoring.stats?.();
    if (stalled(stats, scoring, limits) !== undefined) return 'broken';
    if (overloaded({ engine: stats, scoring }, limits) !== undefined) {
      const beside = own();
      const isAtEase =
        beside && beside.engine.busy > 0 && lateMs(beside) < easeShare * lateMs({ engine: stats, scoring });
      return isAtEase ? 'broken' : 'full';
    }
    return this.slots && this.slots.places() <= this.#sessions ? 'full' : undefined;
  }

  /** Resolves when it is warm; one at nodes when there is a node that has it, or soon after. */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
  }

  use(): () => void {
    this.#policies += 1;
    return once(() => {
      this.#policies -= 1;
      this.#closeUnused();
    });
  }

  hold(): () => void {
    this.#sessions += 1;
    return once(() => {
      this.#sessions -= 1;
      this.#closeUnused();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#options.run.close();
    return this.#closing;
  }

  async #load(): Promise<void> {
    const { run, log } = this.#options;
    const loading = run.load().then((engine) => {
      this.#engine = engine;
      log.info({ model: this.identity, provider: engine.provider }, 'a model of a policy is ready');
    });
    // Whoever does not wait any more hears of it by what is hindered.
    loading.catch(() => {});
    const patience = defer<void>();
    const timer = run.slots && setTimeout(() => patience.reject(new Error('no node has it')), nodesMs);
    try {
      await Promise.race([loading, patience.promise]);
    } catch (error) {
      // What is tried again begins anew.
      this.#loading = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #closeUnused(): void {
    if (this.#policies > 0 || this.#sessions > 0 || this.#closing) return;
    const { log, onOver } = this.#options;
    onOver();
    if (!this.#isDead) log.info({ model: this.identity }, 'a model that no policy and no session uses has ended');
    this.close().catch((error: unknown) => {
      log.error({ model: this.identity, error: String(error) }, 'a model did not end as it should');
    });
  }
}

/** How late a model makes what it hears, at p95, ms: the slower of its network and its scoring. */
function lateMs({ engine, scoring }: ModelStats): number {
  return Math.max(engine.stepP95Ms, scoring?.waitP95Ms ?? 0);
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}

/** How late the own model is at most, of a version that is to blame itself. */
const easeShare = 0.5;
/** Nodes that are there have said so by then. */
const nodesMs = 5000;

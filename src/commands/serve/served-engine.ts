import type { TunedDevice } from '../../acoustic/engine/device-tuning.ts';
import type { AcousticEngine, LostDevice } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { parseDevice } from '../../acoustic/onnx/device.ts';
import { createWorkerEngine } from '../../acoustic/worker/worker-engine.ts';
import { checkReadable } from '../../scoring/align/graph.ts';
import { KnownTexts } from '../../scoring/threads/known-texts.ts';
import { ScoringThreads } from '../../scoring/threads/pool.ts';
import type { NodeDirectory } from '../../server/gateway/view.ts';
import type { Scoring } from '../../server/session/context.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SlotSource } from '../../telemetry/metrics.ts';
import { Exchange } from '../../threads/exchange.ts';
import { NodePool, type NodePoolOptions } from '../../trunk/gateway/node-pool.ts';

/** What scores the sessions of a server: threads of its own, or nodes. */
export type ServedEngine = {
  scoring: Scoring;
  /** Called when the port is known to be ours: only then is the model worth loading. */
  load(): Promise<AcousticEngine>;
  /** Absent: as many sessions as the server takes. */
  slots?: SlotSource;
  nodes?: NodeDirectory;
  /** Rejects when it can never score again. */
  died: Promise<never>;
  close(): Promise<void>;
};

/** What runs the model here; `tuning`: how that was found to be driven best. */
export type LocalTuning = {
  device: string;
  tuning?: TunedDevice | undefined;
  /** Default: as many as the machine has room for. */
  scoringThreads?: number;
};

/** The model and the scoring on threads of this process. */
export function localEngine(
  model: ModelPackage,
  { device, tuning, scoringThreads }: LocalTuning,
  log: Log,
): ServedEngine {
  const parsed = parseDevice(device);
  // One round of mail for the model's thread and those that score.
  const exchange = new Exchange();
  const threads = new ScoringThreads({
    model,
    ...(scoringThreads !== undefined && { threads: scoringThreads }),
    exchange,
    onCrash: (error) => log.error({ error: error.message }, 'a scoring thread died'),
  });
  let loading: Promise<AcousticEngine> | undefined;
  let die: (error: Error) => void = () => {};
  const died = new Promise<never>((_, reject) => {
    die = reject;
  });
  died.catch(() => {});
  const onCrash = (error: Error, restarted: boolean): void => {
    log.error({ error: error.message, restarted }, 'the model thread died');
    if (!restarted) die(error);
  };
  const onLoss = (lost: LostDevice): void => {
    log.error({ ...lost, provider: 'cpu' }, 'the device of the model was lost, the CPU goes on');
  };
  return {
    scoring: liveScoring(threads),
    load() {
      loading ??= createWorkerEngine({
        model,
        device: parsed,
        exchange,
        onCrash,
        onLoss,
        ...(tuning && { tuning }),
      });
      return loading;
    },
    died,
    async close() {
      // While the model still warms up there is nothing to wait for: its thread ends with the
      // process.
      await loading?.then((engine) => engine.close()).catch(() => {});
      await threads.close();
      exchange.close();
    },
  };
}

/** The scoring that `speechfb score` runs too, on its threads. */
export function liveScoring(threads: ScoringThreads): Scoring {
  return {
    readReference: (source, mostPhones) => threads.readReference(source, mostPhones),
    openUtterance: threads.openUtterance,
    stats: () => threads.stats(),
    tidy: () => threads.tidy(),
  };
}

/** The nodes of a gateway. */
export function remoteEngine(options: NodePoolOptions): ServedEngine {
  const { model } = options;
  const texts = new KnownTexts();
  const pool = new NodePool(options);
  const engine: AcousticEngine = {
    model,
    provider: 'nodes',
    open() {
      throw new Error('a gateway runs no model');
    },
    stats: () => pool.engineStats(),
    close: async () => pool.close(),
  };
  return {
    scoring: {
      readReference: (source, mostPhones) =>
        texts.read(source, mostPhones, (reference) => checkReadable(reference, model)),
      openUtterance: pool.openUtterance,
      leave: (speaker) => pool.leave(speaker),
    },
    load: () => pool.hasNode().then(() => engine),
    slots: pool,
    nodes: pool,
    died: new Promise<never>(() => {}),
    close: async () => pool.close(),
  };
}

import { ChannelCredentials } from '@grpc/grpc-js';
import type { TunedDevice } from '../../acoustic/engine/device-tuning.ts';
import type { AcousticEngine, LostDevice } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { parseDevice } from '../../acoustic/onnx/device.ts';
import { createWorkerEngine } from '../../acoustic/worker/worker-engine.ts';
import { SpeechfbError } from '../../errors.ts';
import { checkReadable } from '../../scoring/align/graph.ts';
import { KnownTexts } from '../../scoring/threads/known-texts.ts';
import { ScoringThreads } from '../../scoring/threads/pool.ts';
import type { Scoring } from '../../server/hearing/local-model.ts';
import type { NodeDirectory } from '../../server/node-directory.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SlotSource } from '../../telemetry/slot-metrics.ts';
import { Exchange } from '../../threads/exchange.ts';
import { NodePool, type NodePoolOptions } from '../../trunk/gateway/node-pool.ts';
import { TrunkCredentials } from '../../trunk/gateway/trunk-credentials.ts';
import type { NodeTls } from '../../trunk/node/node-port.ts';
import { followNodeTls, type NodeTlsFiles } from './node-tls.ts';
import type { Reloads } from './reloads.ts';

/** What scores the sessions of a server: threads of its own, or nodes. */
export type ServedEngine = {
  scoring: Scoring;
  /** Called when the port is known to be ours: only then is the model worth loading. */
  load(): Promise<AcousticEngine>;
  /** Absent: as many sessions as the server takes. */
  slots?: SlotSource;
  nodes?: NodeDirectory;
  /** Takes up the certificates of its trunks when they change; absent: it has none. */
  followTls?(reloads: Reloads): void;
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

type RemoteOptions = Omit<NodePoolOptions, 'credentials'> & { tls: NodeTlsFiles | undefined };

/**
 * The nodes of a gateway.
 *
 * @throws SpeechfbError `bad_tls`
 */
export function remoteEngine({ tls, ...options }: RemoteOptions): ServedEngine {
  const { model, log } = options;
  const texts = new KnownTexts();
  const credentials = tls ? credentialsOf(tls) : ChannelCredentials.createInsecure();
  const pool = new NodePool({ ...options, credentials });
  let following: { close(): void } | undefined;
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
    ...(tls && {
      followTls(reloads) {
        following = followNodeTls(tls, { reloads, log, take: (renewed) => pool.renew(credentialsOf(renewed)) });
      },
    }),
    nodes: pool,
    died: new Promise<never>(() => {}),
    async close() {
      following?.close();
      pool.close();
    },
  };
}

function credentialsOf(tls: NodeTls): ChannelCredentials {
  try {
    return new TrunkCredentials(tls);
  } catch (cause) {
    throw new SpeechfbError('bad_tls', 'TLS does not take the certificates of the trunk', { cause });
  }
}

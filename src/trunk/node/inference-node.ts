import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { SlotNumbers } from '../../telemetry/slot-metrics.ts';
import { channelOptions, inferenceService } from '../wire/service.ts';
import { NodeCore, type NodeCoreOptions } from './node-core.ts';
import { NodePort, type NodeTls } from './node-port.ts';
import { TrunkEnd } from './trunk-end.ts';
import { widenWindow } from './wide-window.ts';

export type InferenceNodeOptions = Omit<NodeCoreOptions, 'now'> & {
  /** `host:port`, port 0 for any free one, or `unix:/path`. */
  address: string;
  tls?: NodeTls | undefined;
  /** A connection on which nothing came for this long is closed, ms. */
  silentMs?: number;
};

export type InferenceNode = {
  /** Where it listens, as gateways are given it. */
  readonly address: string;
  /** Its slots, and the gateways that it has trunks to. */
  slots(): SlotNumbers;
  /** Whether it grants nothing any more. */
  readonly isDraining: boolean;
  /**
   * Shows other certificates from the next trunk on; those that are open stay.
   *
   * @throws SpeechfbError `bad_tls`
   */
  renewTls(tls: NodeTls): void;
  /** Tells every gateway to move its sessions away, or that it takes sessions again. */
  cordon(isCordoned: boolean): void;
  /** For load tests: grants every slot that it is asked for and keeps none, or keeps them again. */
  forgetLeases(isForgetful: boolean): void;
  /** Tells every gateway to move its sessions away; resolves when they have, or after `drainMs`. */
  drain(): Promise<{ moved: boolean }>;
  /** Ends every trunk at once. */
  close(): Promise<void>;
};

/**
 * Listens for gateways.
 *
 * @throws SpeechfbError `cannot_listen`, `bad_tls`
 */
export async function startInferenceNode(options: InferenceNodeOptions): Promise<InferenceNode> {
  const { address, drainMs } = options;
  const core = new NodeCore({ ...options, now: () => performance.now() });
  const trunks = new Set<TrunkEnd>();
  const server = new Server(serverOptions);
  server.addService(inferenceService, {
    trunk: (call: ConstructorParameters<typeof TrunkEnd>[0]) => {
      const peer = call.getPeer();
      port.trunkFrom(peer);
      widenWindow(call);
      const trunk: TrunkEnd = new TrunkEnd(call, core, {
        onEnd: () => trunks.delete(trunk),
        onRefused: (kind, why) => port.refuseTrunk(peer, kind, why),
      });
      trunks.add(trunk);
    },
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const { tls, log, silentMs } = options;
  const port = new NodePort({
    address,
    tls,
    log,
    ...(silentMs !== undefined && { silentMs }),
    onConnection: (socket) => injector.injectConnection(socket),
  });
  const bound = await port.open();
  const timer = startTicking(core, trunks);
  options.log.info({ address: bound, slots: options.slots, region: options.region }, 'waits for gateways');
  const cordon = (isCordoned: boolean): void => {
    core.drain(isCordoned);
    for (const trunk of trunks) trunk.sayLoad();
  };
  const close = async (): Promise<void> => {
    clearInterval(timer);
    for (const trunk of trunks) trunk.close();
    server.forceShutdown();
    port.close();
  };
  return {
    address: bound,
    slots: () => ({
      slots: core.leases.slots,
      free: core.leases.free,
      trunks: trunks.size,
      refused: core.refused,
      connectionsRefused: port.refused,
    }),
    get isDraining() {
      return core.isDraining;
    },
    cordon,
    forgetLeases: (isForgetful) => core.leases.forget(isForgetful),
    renewTls: (renewed) => port.renew(renewed),
    async drain() {
      cordon(true);
      const untilMs = performance.now() + drainMs;
      while (core.leases.free < core.leases.slots && performance.now() < untilMs) await delay(tickMs);
      const moved = core.leases.free === core.leases.slots;
      await close();
      return { moved };
    },
    close,
  };
}

/** Says several times a second where the node stands, and ends leases that were not renewed. */
function startTicking(core: NodeCore, trunks: ReadonlySet<TrunkEnd>): NodeJS.Timeout {
  let dueMs = performance.now() + tickMs;
  let ticks = 0;
  return setInterval(() => {
    const nowMs = performance.now();
    core.noteLateness(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + tickMs;
    const ended = core.leases.expire(nowMs);
    ticks += 1;
    for (const trunk of trunks) {
      if (ended.length > 0) trunk.endLeases(ended);
      if (ticks % ticksPerLoad === 0) trunk.sayLoad();
    }
  }, tickMs);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const tickMs = 50;
/** A gateway takes a node that says nothing for four times as long for dead. */
const ticksPerLoad = 4;
const serverOptions = {
  ...channelOptions,
  // A gateway has one trunk; a second one while the first still ends.
  'grpc.max_concurrent_streams': 8,
  // What one connection may make a node hold, MB: the library's own default is no bound.
  'grpc-node.max_session_memory': 64,
};

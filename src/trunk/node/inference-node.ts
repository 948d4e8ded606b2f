import { Server, ServerCredentials } from '@grpc/grpc-js';
import { SpeechfbError } from '../../errors.ts';
import type { SlotNumbers } from '../../telemetry/metrics.ts';
import { channelOptions, inferenceService } from '../wire/service.ts';
import { NodeCore, type NodeCoreOptions } from './node-core.ts';
import { TrunkEnd } from './trunk-end.ts';

export type InferenceNodeOptions = Omit<NodeCoreOptions, 'now'> & {
  /** `host:port`, port 0 for any free one, or `unix:/path`. */
  address: string;
  /** PEM texts; with `authority` only gateways whose certificate it signed may come. */
  tls?: { certificate: string; key: string; authority: string } | undefined;
};

export type InferenceNode = {
  /** Where it listens, as gateways are given it. */
  readonly address: string;
  /** Its slots, and the gateways that it has trunks to. */
  slots(): SlotNumbers;
  /** Whether it grants nothing any more. */
  readonly isDraining: boolean;
  /** Tells every gateway to move its sessions away, or that it takes sessions again. */
  cordon(isCordoned: boolean): void;
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
  const server = new Server({ ...channelOptions, 'grpc.max_concurrent_streams': streamsPerGateway });
  server.addService(inferenceService, {
    trunk: (call: ConstructorParameters<typeof TrunkEnd>[0]) => {
      const trunk: TrunkEnd = new TrunkEnd(call, core, () => trunks.delete(trunk));
      trunks.add(trunk);
    },
  });
  const port = await bind(server, address, credentials(options));
  const timer = startTicking(core, trunks);
  const bound = address.startsWith('unix:') ? address : address.replace(/:\d+$/, `:${port}`);
  options.log.info({ address: bound, slots: options.slots, region: options.region }, 'waits for gateways');
  const cordon = (isCordoned: boolean): void => {
    core.drain(isCordoned);
    for (const trunk of trunks) trunk.sayLoad();
  };
  const close = async (): Promise<void> => {
    clearInterval(timer);
    for (const trunk of trunks) trunk.close();
    server.forceShutdown();
  };
  return {
    address: bound,
    slots: () => ({
      slots: core.leases.slots,
      free: core.leases.free,
      trunks: trunks.size,
      refused: core.refused,
    }),
    get isDraining() {
      return core.isDraining;
    },
    cordon,
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

function credentials({ tls }: InferenceNodeOptions): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) };
  try {
    return ServerCredentials.createSsl(Buffer.from(tls.authority), [pair], true);
  } catch (cause) {
    throw new SpeechfbError('bad_tls', 'the certificate or key of the node cannot be used', { cause });
  }
}

function bind(server: Server, address: string, by: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, by, (error, port) => {
      if (!error) resolve(port);
      else
        reject(
          new SpeechfbError(
            'cannot_listen',
            `no gateway can be heard at ${address}: it is taken, or not of this machine`,
            {
              hint: '--node-listen takes host:port, port 0 for any free one, or unix:/path',
              cause: error,
            },
          ),
        );
    });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const tickMs = 50;
/** A gateway takes a node that says nothing for a second for dead. */
const ticksPerLoad = 4;
/** A gateway has one trunk; a second one while the first still ends. */
const streamsPerGateway = 8;

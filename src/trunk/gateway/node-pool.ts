import type { ChannelCredentials } from '@grpc/grpc-js';
import type { EngineStats } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { checkReadable } from '../../scoring/align/graph.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import { UnheardFinals } from '../../scoring/threads/unheard-finals.ts';
import type { Log } from '../../telemetry/log.ts';
import type { SlotNumbers } from '../../telemetry/slot-metrics.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { NodeHello } from '../wire/speechfb/v1/inference_pb.ts';
import { leaseCall } from './lease-call.ts';
import type { Place } from './leg.ts';
import type { NodeAddresses } from './node-addresses.ts';
import { NodeLink, tickMs } from './node-link.ts';
import { RemoteSession } from './remote-session.ts';
import { TrunkBlocks } from './trunk-blocks.ts';

export type NodePoolOptions = {
  /** The model whose scores this gateway promises; nodes with another are not used. */
  model: ModelPackage;
  nodes: NodeAddresses;
  /** Nodes that are asked when all others have refused. */
  spill?: NodeAddresses;
  /** Nodes of other regions are not used. */
  region: string;
  gateway: string;
  credentials: ChannelCredentials;
  log: Log;
  /** Follows sessions; absent: nobody wants traces. */
  tracing?: Pick<Tracing, 'call'> | undefined;
  /** How long a session may be without a node before it fails, ms. */
  homelessMs?: number;
  /** Sound of one utterance that is kept for another node, bytes. */
  maxRetainedBytes?: number;
};

/** A node of a pool; `leases`: slots that this gateway has, `model`: what it says that it runs. */
type PooledNode = Pick<NodeLink, 'address' | 'isUp' | 'isDraining' | 'slots' | 'free' | 'leases'> & {
  model: string | undefined;
};

/** The nodes of a gateway, and its sessions at them. */
export class NodePool {
  readonly #options: NodePoolOptions;
  readonly #links = new Map<string, NodeLink>();
  readonly #spill = new Set<NodeLink>();
  readonly #sessions = new Map<string, RemoteSession>();
  readonly #unheard: UnheardFinals;
  readonly #blocks = new TrunkBlocks();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #rehoused = { lost: 0, moved: 0 };
  #refused = 0;
  #spilled = 0;
  readonly #waiting: (() => void)[] = [];
  #upAtMs = performance.now();
  #credentials: ChannelCredentials;
  #isClosed = false;

  constructor(options: NodePoolOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    this.#unheard = new UnheardFinals(options.model);
    const look = setInterval(() => this.#tick(), tickMs);
    const areNames = options.nodes.areNames || options.spill?.areNames;
    const find = setInterval(() => areNames && this.#findNodes(), findMs);
    this.#timers = [look, find];
    this.#findNodes();
  }

  /** Resolves when there is a node. */
  hasNode(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#settleWaiting();
    });
  }

  #settleWaiting(): void {
    if (this.stats().trunks === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #findNodes(): void {
    const { nodes, spill } = this.#options;
    void Promise.all([nodes.find(), spill?.find() ?? []]).then(([addresses, spillAddresses]) => {
      if (this.#isClosed) return;
      this.#setAddresses(addresses, spillAddresses);
      this.#tick();
    });
  }

  /** Takes these nodes and lets all others go. */
  #setAddresses(addresses: readonly string[], spill: readonly string[]): void {
    const wanted = new Set([...addresses, ...spill]);
    for (const [address, link] of this.#links) {
      if (wanted.has(address)) continue;
      this.#links.delete(address);
      link.close();
    }
    this.#spill.clear();
    for (const address of wanted) {
      const link = this.#links.get(address) ?? this.#newLink(address);
      this.#links.set(address, link);
      if (!addresses.includes(address)) this.#spill.add(link);
    }
  }

  #newLink(address: string): NodeLink {
    const { gateway, log } = this.#options;
    const credentials = this.#credentials;
    const objection = (hello: NodeHello) => this.#objection(hello);
    const onChange = (link: NodeLink) => this.#onChange(link);
    return new NodeLink({ address, gateway, credentials, log, objection, onChange });
  }

  /** Scores at a node; the utterances of one speaker share a slot until `leave`. */
  readonly openUtterance: OpenUtterance = (_engine, reference, settings, events) => {
    const { model, maxRetainedBytes = defaultRetainedBytes } = this.#options;
    checkReadable(reference, model);
    const { speaker = '', emitIntervalMs, nbest = 0, startMs = 0, canWait = false, traceparent = '' } = settings;
    const unheard = (isWanted: () => boolean) => this.#unheard.finalOf(reference, speaker, isWanted);
    return this.#session(speaker).open({
      reference,
      sampleRateHz: model.sampleRateHz,
      settings: { emitIntervalMs, nbest, startMs, canWait, traceparent },
      maxRetainedBytes,
      blocks: this.#blocks,
      events,
      unheard,
    });
  };

  /** The speaker has gone: the slot is free. */
  leave(speaker: string): void {
    this.#sessions.get(speaker)?.end();
    this.#sessions.delete(speaker);
  }

  /** Sessions for which there are slots, those that have one among them. */
  places(): number {
    const housed = [...this.#sessions.values()].filter((session) => session.place).length;
    return housed + this.stats().free;
  }

  /** The slots of all nodes as last heard, and how often sessions had to look for another. */
  stats(): SlotNumbers & { rehoused: { lost: number; moved: number } } {
    const up = [...this.#links.values()].filter((link) => link.isUp);
    const sum = (of: (link: NodeLink) => number) => up.reduce((total, link) => total + of(link), 0);
    return {
      slots: sum((link) => link.slots),
      free: sum((link) => link.free),
      trunks: up.length,
      refused: this.#refused,
      spilled: this.#spilled,
      rehoused: { ...this.#rehoused },
    };
  }

  /** Each node that is looked for, whether it is there or not. */
  nodes(): PooledNode[] {
    const { name, version } = this.#options.model;
    return [...this.#links.values()].map(({ address, isUp, isDraining, slots, free, leases }) => {
      return { address, isUp, isDraining, slots, free, leases, model: isUp ? `${name} ${version}` : undefined };
    });
  }

  /** The node at which a speaker is scored now; undefined: at none. */
  nodeOf(speaker: string): string | undefined {
    return this.#sessions.get(speaker)?.place?.link.address;
  }

  /** The nodes as a server sees its engine. */
  engineStats(): EngineStats {
    const links = [...this.#links.values()].filter((link) => link.isUp);
    const nowMs = performance.now();
    if (links.length > 0) this.#upAtMs = nowMs;
    return {
      streams: links.reduce((total, link) => total + link.leases, 0),
      queueDepth: 0,
      stepP95Ms: Math.max(0, ...links.map((link) => link.stepP95Ms)),
      busy: 0,
      runs: 0,
      meanBatch: 0,
      silentMs: nowMs - this.#upAtMs,
      restarts: this.#rehoused.lost,
    };
  }

  /** Shows nodes other certificates from the next trunk on; those that are open stay. */
  renew(credentials: ChannelCredentials): void {
    this.#credentials = credentials;
    for (const link of this.#links.values()) link.renew(credentials);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const session of this.#sessions.values()) session.end();
    for (const link of this.#links.values()) link.close();
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const link of this.#links.values()) link.tick(nowMs);
  }

  #session(speaker: string): RemoteSession {
    const known = this.#sessions.get(speaker);
    if (known) return known;
    const session = new RemoteSession({
      findPlace: (avoid, onLost) => this.#findPlace(speaker, avoid, onLost),
      onBroken: ({ link }, why) => link.distrust(why),
      onMoved: (why) => {
        this.#rehoused[why] += 1;
      },
      homelessMs: this.#options.homelessMs ?? defaultHomelessMs,
      now: () => performance.now(),
    });
    this.#sessions.set(speaker, session);
    return session;
  }

  /**
   * A slot at the freer of two nodes that are drawn; a node that refuses is asked no more, until
   * none is left, and then those for spill. To ask the freest would send all gateways to one node
   * at once.
   */
  async #findPlace(
    speaker: string,
    avoid: NodeLink | undefined,
    onLost: (place: Place) => void,
  ): Promise<Place | string> {
    const all = [...this.#links.values()].filter((link) => link.isUp && !link.isDraining && link !== avoid);
    const candidates = all.filter((link) => !this.#spill.has(link));
    const spill = all.filter((link) => this.#spill.has(link));
    let why = all.length === 0 ? 'no node is there' : 'full';
    while (candidates.length + spill.length > 0) {
      const among = candidates.length > 0 ? candidates : spill;
      const link = drawFreer(among);
      among.splice(among.indexOf(link), 1);
      const place: { link: NodeLink; lease: number } = { link, lease: 0 };
      const startMs = performance.now();
      const outcome = await link.acquire(acquireMs, () => onLost(place));
      this.#options.tracing?.call(speaker, leaseCall(link.address, startMs, outcome));
      if (typeof outcome === 'number') {
        place.lease = outcome;
        if (among === spill) this.#spilled += 1;
        return place;
      }
      this.#refused += 1;
      why = outcome;
    }
    return why;
  }

  /** Sessions leave a node that goes. */
  #onChange(link: NodeLink): void {
    this.#settleWaiting();
    if (!link.isDraining) return;
    for (const session of this.#sessions.values()) if (session.place?.link === link) void session.move();
  }

  #objection({ model, region }: NodeHello): string | undefined {
    const own = this.#options.model;
    if (region !== this.#options.region) return `it stands in region "${region}", not in "${this.#options.region}"`;
    if (model?.name !== own.name || model.version !== own.version) {
      return `it has model ${model?.name} ${model?.version}, this gateway ${own.name} ${own.version}`;
    }
    return undefined;
  }
}

/** Two drawn without looking, and the one of them with more free slots. */
function drawFreer(links: readonly NodeLink[]): NodeLink {
  const first = links[Math.floor(Math.random() * links.length)]!;
  const second = links[Math.floor(Math.random() * links.length)]!;
  return second.free > first.free ? second : first;
}

/** A node answers within a message's way and back; one that does not is asked no more. */
const acquireMs = 250;
/** How often names are resolved again, ms. */
const findMs = 5000;
const defaultHomelessMs = 5000;
/** Five minutes at 16 kHz and 16 bits. */
const defaultRetainedBytes = 10_000_000;

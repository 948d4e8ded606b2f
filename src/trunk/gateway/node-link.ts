import { type ChannelCredentials, Client, type ClientDuplexStream } from '@grpc/grpc-js';
import { backoffMs } from '../../backoff.ts';
import { plainText } from '../../plain-text.ts';
import type { Log } from '../../telemetry/log.ts';
import type { HeardFeedback, HeardNodeItem, SentGatewayItem } from '../wire/items.ts';
import {
  channelOptions,
  type HeardResponse,
  inferenceService,
  mostResponseBytes,
  trunkMinor,
} from '../wire/service.ts';
import type { Load, NodeHello, Result } from '../wire/speechfb/v1/inference_pb.ts';
import { type SoundSource, TrunkQueue } from './trunk-queue.ts';

export type LegEvents = {
  onFeedback(feedback: HeardFeedback): void;
  onResult(result: Result): void;
  /**
   * The node cannot go on with it; `code` as in docs/errors.md, empty for a fault of the node's.
   */
  onFailed(code: string, message: string): void;
  /** The node or the lease is lost. */
  onGone(): void;
};

/** An utterance as its trunk knows it. */
export type LinkedLeg = SoundSource & {
  readonly events: LegEvents;
  /** So many more samples may be sent. */
  credit(samples: number): void;
};

export type NodeLinkOptions = {
  /** `host:port` or `unix:/path`. */
  address: string;
  /** This gateway's name in the node's log. */
  gateway: string;
  credentials: ChannelCredentials;
  log: Log;
  /** Why a node that said this hello is not used; undefined: it is. */
  objection(hello: NodeHello): string | undefined;
  /** The node draws its sessions off, or is back. */
  onChange(link: NodeLink): void;
};

/**
 * One trunk from this gateway to one node, made anew whenever it breaks. A node that says nothing
 * for most of a second is lost, whether it is dead or stopped: its sessions go elsewhere.
 */
export class NodeLink {
  readonly address: string;
  readonly #options: NodeLinkOptions;
  #client: Client;
  /** Taken by the next trunk. */
  #renewed: ChannelCredentials | undefined;
  readonly #legs = new Map<number, LinkedLeg>();
  readonly #requests = new Map<number, (outcome: number | string) => void>();
  readonly #leases = new Map<number, () => void>();
  #call: ClientDuplexStream<Buffer, HeardResponse> | undefined;
  #hello: NodeHello | undefined;
  #load: Load | undefined;
  readonly #outgoing = new TrunkQueue((message) => this.#call?.write(message) ?? true);
  #lastId = 0;
  #heardMs = 0;
  #lookedMs = 0;
  #retryAtMs = 0;
  #renewAtMs = 0;
  #failures = 0;
  /** How often it broke its word. */
  #broken = 0;
  #isClosed = false;

  constructor(options: NodeLinkOptions) {
    this.address = options.address;
    this.#options = options;
    this.#client = clientOf(options.address, options.credentials);
  }

  /** Whether sessions may be placed here. */
  get isUp(): boolean {
    return this.#hello !== undefined;
  }

  get isDraining(): boolean {
    return this.#load?.draining ?? false;
  }

  /** Slots that the node said were free, less those asked for since; a hint, never a promise. */
  get free(): number {
    if (!this.#hello || !this.#load) return 0;
    // A node that says more than it has is not asked more than it could have.
    const most = this.#hello.slots - this.#leases.size;
    return Math.max(0, Math.min(this.#load.free, most) - this.#requests.size);
  }

  get slots(): number {
    return this.#hello?.slots ?? 0;
  }

  get leases(): number {
    return this.#leases.size;
  }

  get stepP95Ms(): number {
    return this.#load?.stepP95Ms ?? 0;
  }

  get windowSamples(): number {
    return this.#hello?.windowSamples ?? 0;
  }

  /** Looks after the trunk; called several times a second. */
  tick(nowMs: number): void {
    if (this.#isClosed) return;
    // Time that this thread was late with is no silence of the node's.
    const lateMs = Math.max(0, nowMs - this.#lookedMs - tickMs);
    if (lateMs > tickMs) this.#heardMs = Math.min(nowMs, this.#heardMs + lateMs);
    this.#lookedMs = nowMs;
    if (!this.#call) {
      if (nowMs >= this.#retryAtMs) this.#connect(nowMs);
      return;
    }
    const mostMs = this.#hello ? silentMs : connectMs;
    if (nowMs - this.#heardMs > mostMs) this.#lose(`it has said nothing for ${Math.round(nowMs - this.#heardMs)} ms`);
    else if (nowMs >= this.#renewAtMs) this.#renew(nowMs);
  }

  /**
   * Asks for a slot: its lease, or why there is none.
   *
   * @param onLost The lease has ended by itself.
   */
  acquire(deadlineMs: number, onLost: () => void): Promise<number | string> {
    if (!this.#hello) return Promise.resolve('gone');
    this.#lastId += 1;
    const request = this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle('late'), deadlineMs);
      const settle = (outcome: number | string): void => {
        clearTimeout(timer);
        this.#requests.delete(request);
        if (typeof outcome === 'number') this.#leases.set(outcome, onLost);
        resolve(outcome);
      };
      this.#requests.set(request, settle);
      this.say({ case: 'acquire', value: { request, deadlineMs } });
      this.#outgoing.flush();
    });
  }

  release(lease: number): void {
    if (this.#leases.delete(lease)) this.say({ case: 'release', value: { lease } });
  }

  /** Registers an utterance and gives it its number on this trunk. */
  addLeg(leg: LinkedLeg): number {
    this.#lastId += 1;
    this.#legs.set(this.#lastId, leg);
    return this.#lastId;
  }

  /** Whether it was still known. */
  removeLeg(id: number): boolean {
    const leg = this.#legs.get(id);
    if (leg) this.#outgoing.drop(leg);
    return this.#legs.delete(id);
  }

  /** The leg has something to send. */
  touch(leg: LinkedLeg): void {
    this.#outgoing.touch(leg);
  }

  say(item: SentGatewayItem): void {
    if (this.#call) this.#outgoing.say(item);
  }

  /** Stops using the node for a while, whatever it says; for longer each time. */
  distrust(why: string): void {
    this.#lose(why);
    this.#retryAtMs = performance.now() + backoffMs(this.#broken, Math.random, distrusts);
    this.#broken += 1;
  }

  /** Shows other certificates from the next trunk on, which is tried at once when there is none. */
  renew(credentials: ChannelCredentials): void {
    this.#renewed = credentials;
    if (!this.#call) this.#retryAtMs = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#call?.end();
    this.#forget();
    this.#client.close();
  }

  #connect(nowMs: number): void {
    if (this.#renewed) {
      this.#client.close();
      this.#client = clientOf(this.address, this.#renewed);
      this.#renewed = undefined;
    }
    const { trunk } = inferenceService;
    const call = this.#client.makeBidiStreamRequest(trunk.path, trunk.requestSerialize, trunk.responseDeserialize);
    this.#call = call;
    this.#outgoing.clear();
    this.#heardMs = nowMs;
    call.on('data', (response: HeardResponse) => {
      if (this.#call !== call) return;
      this.#heardMs = performance.now();
      this.#onResponse(response);
    });
    call.on('drain', () => this.#call === call && this.#outgoing.unblock());
    call.on('error', (error) => this.#call === call && this.#lose(error.message));
    call.on('end', () => this.#call === call && this.#lose('it ended the trunk'));
    this.say({ case: 'hello', value: { minor: trunkMinor, gateway: this.#options.gateway } });
  }

  /** A node that says what cannot be understood is lost, and nobody at this gateway with it. */
  #onResponse({ items }: HeardResponse): void {
    try {
      for (const { item } of items) this.#onItem(item);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.distrust(`it said what cannot be understood: ${why}`);
    }
  }

  #onItem(item: HeardNodeItem): void {
    switch (item.case) {
      case 'hello':
        this.#onHello(item.value);
        return;
      case 'load':
        this.#onLoad(item.value);
        return;
      case 'granted':
        this.#onGranted(item.value.request, item.value.lease);
        return;
      case 'refused':
        this.#requests.get(item.value.request)?.(item.value.reason);
        return;
      case 'lost': {
        const onLost = this.#leases.get(item.value.lease);
        this.#leases.delete(item.value.lease);
        onLost?.();
        return;
      }
      case 'credit':
        this.#legs.get(item.value.utterance)?.credit(item.value.samples);
        return;
      case 'feedback':
        this.#legs.get(item.value.utterance)?.events.onFeedback(item.value);
        return;
      case 'result':
        this.#legs.get(item.value.utterance)?.events.onResult(item.value);
        return;
      case 'failed':
        this.#legs.get(item.value.utterance)?.events.onFailed(item.value.code, item.value.message);
        return;
    }
  }

  /** All leases in one message, often enough that a few may be late. */
  #renew(nowMs: number): void {
    const { leaseTtlMs = 0 } = this.#hello ?? {};
    this.#renewAtMs = nowMs + leaseTtlMs / renewalsATtl;
    if (this.#leases.size > 0) this.say({ case: 'renew', value: { leases: [...this.#leases.keys()] } });
  }

  #onHello(hello: NodeHello): void {
    const why = this.#options.objection(hello);
    if (why !== undefined) {
      this.#lose(why);
      return;
    }
    this.#hello = hello;
    this.#failures = 0;
    const { node, slots, region } = hello;
    this.#options.log.info({ address: this.address, node, slots, region }, 'a node is there');
  }

  #onLoad(load: Load): void {
    const before = this.#load?.draining ?? false;
    const isFirst = this.#load === undefined;
    this.#load = load;
    if (load.draining !== before || isFirst) this.#options.onChange(this);
  }

  /** A grant that comes after its deadline is given back. */
  #onGranted(request: number, lease: number): void {
    const settle = this.#requests.get(request);
    if (settle) settle(lease);
    else this.say({ case: 'release', value: { lease } });
  }

  #lose(why: string): void {
    const call = this.#call;
    if (!call) return;
    this.#call = undefined;
    call.on('error', () => {});
    call.cancel();
    const wasUp = this.#hello !== undefined;
    this.#failures += 1;
    this.#retryAtMs = performance.now() + backoffMs(this.#failures - 1, Math.random, retries);
    if (wasUp || this.#failures === 1 || this.#failures % quietFailures === 0) {
      this.#options.log.warn(
        { address: this.address, why: plainText(why, 200), sessions: this.#leases.size },
        'a node is not there',
      );
    }
    this.#forget();
    if (wasUp) this.#options.onChange(this);
  }

  /** Tells everybody who had something here that it is gone. */
  #forget(): void {
    this.#hello = undefined;
    this.#load = undefined;
    this.#outgoing.clear();
    for (const settle of [...this.#requests.values()]) settle('gone');
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    const legs = [...this.#legs.values()];
    this.#legs.clear();
    for (const onLost of leases) onLost();
    for (const leg of legs) leg.events.onGone();
  }
}

function clientOf(address: string, credentials: ChannelCredentials): Client {
  return new Client(address, credentials, { ...channelOptions, 'grpc.max_receive_message_length': mostResponseBytes });
}

/** How often a link is looked after, ms. */
export const tickMs = 100;
const renewalsATtl = 5;
/** A node speaks five times a second; its sessions have 1.5 s until they go on elsewhere. */
const silentMs = 800;
const connectMs = 3000;
/** When a node that broke its word is asked again. */
const distrusts = { firstMs: 10_000, maxMs: 600_000 };
const retries = {
  firstMs: channelOptions['grpc.initial_reconnect_backoff_ms'],
  maxMs: channelOptions['grpc.max_reconnect_backoff_ms'],
};
/** A node that stays away is said once in so many tries. */
const quietFailures = 30;

import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { OpenUtterance } from '../../scoring/pipeline.ts';
import type { Log } from '../../telemetry/log.ts';
import type { NodeTrace, NodeTracing } from '../../telemetry/tracing/tracing.ts';
import { trunkMethod } from '../wire/service.ts';
import type { OpenUtterance as OpenItem } from '../wire/speechfb/v1/inference_pb.ts';
import { LeaseBook } from './lease-book.ts';

export type NodeCoreOptions = {
  engine: AcousticEngine;
  openUtterance: OpenUtterance;
  log: Log;
  /** A name for logs. */
  name: string;
  region: string;
  /** Sessions that it takes at once. */
  slots: number;
  leaseTtlMs: number;
  /** How long its sessions have to move away when it goes. */
  drainMs: number;
  /** Follows what is scored here for gateways that trace; absent: nobody does. */
  tracing?: NodeTracing | undefined;
  /** Monotonic, ms. */
  now(): number;
};

/** What all trunks of a node share. */
export class NodeCore {
  readonly leases: LeaseBook;
  readonly windowSamples: number;
  readonly #options: NodeCoreOptions;
  /** Slots that were asked for and not granted. */
  refused = 0;
  #isDraining = false;
  #lateMs = 0;

  constructor(options: NodeCoreOptions) {
    this.#options = options;
    this.leases = new LeaseBook(options.slots, options.leaseTtlMs);
    this.windowSamples = windowSeconds * options.engine.model.sampleRateHz;
  }

  get engine(): AcousticEngine {
    return this.#options.engine;
  }

  get openUtterance(): OpenUtterance {
    return this.#options.openUtterance;
  }

  get log(): Log {
    return this.#options.log;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  now(): number {
    return this.#options.now();
  }

  /** How late this thread was at its last look at the clock, ms. */
  lateMs(): number {
    return this.#lateMs;
  }

  noteLateness(ms: number): void {
    this.#lateMs = ms;
  }

  /** Grants nothing more, or does again. */
  drain(isDraining = true): void {
    this.#isDraining = isDraining;
  }

  /** What follows an utterance, if somebody here and its gateway trace. */
  trace({ traceparent }: OpenItem): NodeTrace | undefined {
    const { tracing, name, now } = this.#options;
    if (!tracing || traceparent === '') return undefined;
    const [, service = '', method = ''] = trunkMethod.split('/');
    const rpc = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
    return tracing.utterance({ traceparent, startMs: now(), attributes: { ...rpc, 'speechfb.node': name } });
  }

  /** The node's hello. */
  describe() {
    const { engine, name, region, leaseTtlMs } = this.#options;
    const { name: modelName, version, sampleRateHz } = engine.model;
    return {
      node: name,
      region,
      model: { name: modelName, version, sampleRate: sampleRateHz },
      slots: this.leases.slots,
      leaseTtlMs,
      windowSamples: this.windowSamples,
    };
  }

  /** Where the node stands. */
  load() {
    const { engine, drainMs } = this.#options;
    return {
      free: this.#isDraining ? 0 : this.leases.free,
      draining: this.#isDraining,
      drainMs,
      stepP95Ms: engine.stats().stepP95Ms,
    };
  }
}

/** Sound of one utterance that may wait at a node, s: what a replay sends at once. */
const windowSeconds = 30;

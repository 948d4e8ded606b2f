import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { SpeechfbError } from '../../errors.ts';
import { plainText } from '../../plain-text.ts';
import { stackOf } from '../../telemetry/log.ts';
import { Gatherer } from '../wire/gatherer.ts';
import type { HeardGatewayItem, SentNodeItem } from '../wire/items.ts';
import { releaseMessage } from '../wire/message-memory.ts';
import type { RequestListener } from '../wire/request-items.ts';
import { MessageSounds, type SampleFormat, samplesOf } from '../wire/samples.ts';
import { type HeardRequest, trunkMinor } from '../wire/service.ts';
import type { OpenUtterance, Sound } from '../wire/speechfb/v1/inference_pb.ts';
import { isGap, mostUtterances, objectionTo } from './bounds.ts';
import type { NodeCore } from './node-core.ts';
import { NodeUtterance } from './node-utterance.ts';

export type TrunkEndEvents = {
  onEnd(): void;
  /**
   * What this gateway does no node bears: `garbage` was said, and it is told so; what it is told it
   * leaves `unread`.
   */
  onRefused(kind: 'garbage' | 'unread', why: string): void;
};

/** The node's end of one trunk: everything that one gateway has here. */
export class TrunkEnd implements RequestListener {
  readonly #call: ServerDuplexStream<HeardRequest, Buffer>;
  readonly #core: NodeCore;
  readonly #outgoing = new Gatherer((message) => this.#write(message));
  readonly #openedMs: number;
  readonly #events: TrunkEndEvents;
  /** Utterances under each lease that this gateway holds. */
  readonly #leases = new Map<number, Map<number, NodeUtterance>>();
  readonly #byUtterance = new Map<number, NodeUtterance>();
  #gateway: string | undefined;
  #mustAnswer = false;
  /** What was written and is not on its way yet. */
  #unreadBytes = 0;
  #isOver = false;

  constructor(call: ServerDuplexStream<HeardRequest, Buffer>, core: NodeCore, events: TrunkEndEvents) {
    this.#call = call;
    this.#core = core;
    this.#events = events;
    this.#openedMs = core.now();
    call.on('data', (request: HeardRequest) => this.#onRequest(request));
    // A gateway that goes away, cleanly or not, gives everything back.
    call.on('end', () => this.#end());
    call.on('cancelled', () => this.#end());
    call.on('error', () => this.#end());
    this.say({ case: 'hello', value: { minor: trunkMinor, ...core.describe() } });
    this.sayLoad();
  }

  say(item: SentNodeItem): void {
    if (!this.#isOver) this.#outgoing.add(item);
  }

  sayLoad(): void {
    this.say({ case: 'load', value: this.#core.load() });
  }

  /** Ends the leases of this gateway that were not renewed; `ended` are those of the whole node. */
  endLeases(ended: readonly number[]): void {
    for (const lease of ended) {
      if (!this.#leases.has(lease)) continue;
      this.#dropLease(lease);
      this.say({ case: 'lost', value: { lease } });
    }
  }

  /** Ends the trunk. */
  close(): void {
    this.#outgoing.flush();
    this.#call.end();
    this.#end();
  }

  #write(message: Buffer): void {
    if (this.#isOver) return;
    this.#unreadBytes += message.length;
    this.#call.write(message, () => {
      this.#unreadBytes -= message.length;
    });
    if (this.#unreadBytes <= mostUnreadBytes) return;
    this.#refuse(
      'unread',
      status.RESOURCE_EXHAUSTED,
      `it has not read ${mostUnreadBytes / 1e6} MB of what it was told`,
    );
  }

  #onRequest(request: HeardRequest): void {
    if ('fault' in request) {
      this.#refuse('garbage', status.INVALID_ARGUMENT, request.fault);
      return;
    }
    const { items, bytes } = request;
    sounds.open(bytes);
    items.each(this);
    // Sound was copied, and so was text.
    releaseMessage(bytes);
    if (!this.#mustAnswer) return;
    this.#mustAnswer = false;
    this.#outgoing.flush();
  }

  /** Hears what a request says. */
  sound(utterance: number, format: SampleFormat, from: number, end: number): void {
    try {
      this.#byUtterance.get(utterance)?.sound(sounds.samples(format, from, end));
    } catch (error) {
      this.#unhandled(error);
    }
  }

  /** Hears what a request says beside sound. */
  item(item: HeardGatewayItem): void {
    try {
      if (!this.#isOver) this.#onItem(item);
    } catch (error) {
      this.#unhandled(error);
    }
  }

  #unhandled(error: unknown): void {
    this.#core.log.error({ error: stackOf(error) }, 'an item of a gateway could not be handled');
  }

  /** Ends the trunk with a status. */
  #refuse(kind: 'garbage' | 'unread', code: status, details: string): void {
    if (this.#isOver) return;
    this.#call.emit('error', { code, details });
    this.#events.onRefused(kind, details);
  }

  #onItem(item: HeardGatewayItem): void {
    switch (item.case) {
      case 'hello':
        // One that greets again and again fills no log.
        if (this.#gateway !== undefined) return;
        this.#gateway = plainText(item.value.gateway, 100);
        this.#core.log.info({ gateway: this.#gateway, minor: item.value.minor }, 'a gateway has come');
        return;
      case 'acquire':
        this.#acquire(item.value.request, item.value.deadlineMs);
        return;
      case 'renew':
        this.#core.leases.renew(
          item.value.leases.filter((lease) => this.#leases.has(lease)),
          this.#core.now(),
        );
        return;
      case 'release':
        this.#release(item.value.lease);
        return;
      case 'open':
        this.#open(item.value);
        return;
      case 'sound':
        this.#oddSound(item.value);
        return;
      case 'gap':
        this.#gap(item.value.utterance, item.value.ms);
        return;
      case 'finish':
        this.#byUtterance.get(item.value.utterance)?.finish();
        return;
      case 'close':
        this.#close(item.value.utterance);
        return;
    }
  }

  /** Takes sound that no gateway of this program writes so, in two formats at once or none. */
  #oddSound({ utterance, s16le, f32le }: Sound): void {
    const heard = this.#byUtterance.get(utterance);
    if (s16le.length > 0) heard?.sound(samplesOf(s16le, 's16le'));
    if (f32le.length > 0) heard?.sound(samplesOf(f32le, 'f32le'));
  }

  #acquire(request: number, deadlineMs: number): void {
    const core = this.#core;
    const refuse = (reason: string): void => {
      core.refused += 1;
      this.say({ case: 'refused', value: { request, reason } });
    };
    if (core.isDraining) refuse('draining');
    // Whoever waited longer than it wanted has gone elsewhere.
    else if (deadlineMs > 0 && core.lateMs() > deadlineMs) refuse('late');
    else {
      const lease = core.leases.grant(core.now());
      if (lease === undefined) refuse('full');
      else {
        this.#leases.set(lease, new Map());
        this.say({ case: 'granted', value: { request, lease } });
      }
    }
    // Who asks for a slot waits for it; all who ask in one message are answered in one.
    this.#mustAnswer = true;
  }

  #release(lease: number): void {
    if (!this.#leases.has(lease)) return;
    this.#dropLease(lease);
    this.#core.leases.release(lease);
  }

  #open(open: OpenUtterance): void {
    const { utterance, lease } = open;
    const fail = (code: string, message: string): void =>
      this.say({ case: 'failed', value: { utterance, code, message } });
    const under = this.#leases.get(lease);
    if (!under || !this.#core.leases.has(lease)) {
      fail('no_lease', `lease ${lease} is not held by this gateway`);
      return;
    }
    if (this.#byUtterance.has(utterance)) {
      fail('trunk_fault', `utterance ${utterance} is open already`);
      return;
    }
    const objection =
      under.size < mostUtterances ? objectionTo(open) : `${mostUtterances} utterances are open under one lease`;
    if (objection !== undefined) {
      fail('trunk_fault', objection);
      return;
    }
    const { engine, openUtterance, windowSamples } = this.#core;
    const now = (): number => this.#core.now();
    const speaker = `${this.#openedMs} ${lease}`;
    try {
      const say = (item: SentNodeItem): void => this.say(item);
      const trace = this.#core.trace(open);
      const opened = new NodeUtterance({ open, speaker, engine, openUtterance, windowSamples, trace, now, say });
      under.set(utterance, opened);
      this.#byUtterance.set(utterance, opened);
    } catch (error) {
      fail('invalid_reference', error instanceof Error ? error.message : String(error));
    }
  }

  #gap(utterance: number, ms: number): void {
    const heard = this.#byUtterance.get(utterance);
    if (isGap(ms)) heard?.gap(ms);
    else heard?.fail(new SpeechfbError('trunk_fault', `a gap of ${ms} ms is none`));
  }

  #close(utterance: number): void {
    const opened = this.#byUtterance.get(utterance);
    if (!opened) return;
    opened.close();
    this.#byUtterance.delete(utterance);
    this.#leases.get(opened.lease)?.delete(utterance);
  }

  #dropLease(lease: number): void {
    for (const [utterance, opened] of this.#leases.get(lease) ?? []) {
      opened.close();
      this.#byUtterance.delete(utterance);
    }
    this.#leases.delete(lease);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outgoing.stop();
    for (const lease of [...this.#leases.keys()]) this.#release(lease);
    // One that never greeted is no gateway, and may open streams without end.
    if (this.#gateway !== undefined) this.#core.log.info({ gateway: this.#gateway }, 'a gateway has gone');
    this.#events.onEnd();
  }
}

/** What is heard is handled before the next message of any gateway. */
const sounds = new MessageSounds();
/**
 * What a gateway that stands still may leave unread until its leases have ended is half of this.
 */
const mostUnreadBytes = 64e6;

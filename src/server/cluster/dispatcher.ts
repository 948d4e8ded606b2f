import type { Socket } from 'node:net';
import type { ListenAddress } from '../../listen.ts';
import { busyFrom } from '../gateway/http/wide-accept.ts';
import type { Limits } from '../limits.ts';
import { admissions, chooseGateway } from './balance.ts';
import { SharedPort } from './shared-port.ts';
import type { Slot } from './slot.ts';

export type DispatcherOptions = {
  limits: Pick<Limits, 'maxPendingConnections'>;
  /** Connections that each gateway may take itself in a turn of its event loop. */
  acceptsATurn: number;
  slots(): Iterable<Slot>;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * Decides which gateway gets which connection. While turns are short it takes each and hands it to
 * the gateway with most room, one at a time. A gateway hears of one a turn, so that while turns are
 * long it leaves the port to the gateways: each takes many a turn, up to a number that keeps it
 * about as full as the others.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #port: SharedPort;
  /** Connections for which no gateway is up, the oldest first. */
  readonly #homeless: Socket[] = [];
  #turn = 0;
  #isClosed = false;
  /** When turns were long last. */
  #slowMs = Number.NEGATIVE_INFINITY;
  /** When a gateway had a descriptor of the port last. */
  #gatesMs = Number.NEGATIVE_INFINITY;
  #resumedMs = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#port = new SharedPort((socket) => this.take(socket));
  }

  /** @throws SpeechfbError `port_in_use`, `cannot_listen` */
  listen(address: ListenAddress): Promise<number> {
    return this.#port.listen(address);
  }

  /** Gives a connection, of which nothing was read, to a gateway. */
  take(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    socket.on('error', () => {});
    const slot = chooseGateway(this.#slots(), this.#turn++);
    if (slot) {
      slot.hand(socket);
      this.look();
      return;
    }
    if (this.#homeless.length >= this.#options.limits.maxPendingConnections) this.#homeless.shift()?.destroy();
    this.#homeless.push(socket);
  }

  /** Looks whether something is different: gateways were heard, or not for some time. */
  look(): void {
    if (this.#isClosed) return;
    const slots = this.#slots();
    if (this.#homeless.length > 0 && slots.some(({ isUp }) => isUp)) {
      for (const socket of this.#homeless.splice(0)) this.take(socket);
    }
    const nowMs = this.#options.now();
    const ready = slots.filter(({ isReady }) => isReady);
    if (ready.some((slot) => slot.isSlow(nowMs))) this.#slowMs = nowMs;
    const connections = slots.reduce((sum, slot) => sum + slot.connections, 0);
    if (connections >= busyFrom) this.#prepare(slots);
    this.#decide(ready, { nowMs, isBusy: connections >= busyFrom && nowMs - this.#slowMs < calmMs });
    this.#admit(slots, nowMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#port.close();
    for (const socket of this.#homeless.splice(0)) socket.destroy();
  }

  /** Leaves the port to the gateways, or takes it back. */
  #decide(ready: readonly Slot[], { nowMs, isBusy }: { nowMs: number; isBusy: boolean }): void {
    if (ready.some(({ gates }) => gates.gates > 0)) this.#gatesMs = nowMs;
    // A gateway that has used up its descriptors is sent others, which takes a turn each.
    const canTake = ready.length > 0 && nowMs - this.#gatesMs < calmMs;
    if (this.#port.isOpen) {
      if (isBusy && canTake && nowMs - this.#resumedMs > calmMs && this.#port.canPause) this.#port.pause();
    } else if (!isBusy || !canTake) {
      this.#resumedMs = nowMs;
      this.#port.resume();
    }
  }

  /** Gives up the port, once no gateway is there any more. */
  release(): void {
    this.#port.release();
  }

  #slots(): Slot[] {
    return [...this.#options.slots()].filter((slot) => !slot.hasDrained);
  }

  /** Sees to it that the port can be left to the gateways. */
  #prepare(slots: readonly Slot[]): void {
    const { acceptsATurn } = this.#options;
    // One a turn is what a gateway is handed anyway.
    if (acceptsATurn === 1) return;
    this.#port.prepare();
    const { descriptor, canPause } = this.#port;
    if (descriptor && canPause) for (const slot of slots) slot.wantGates(acceptsATurn, descriptor);
  }

  #admit(slots: readonly Slot[], nowMs: number): void {
    const { acceptsATurn } = this.#options;
    const most = this.#port.isOpen
      ? new Map<Slot, number>()
      : admissions(slots, { nowMs, least: acceptsATurn * ahead });
    for (const slot of slots) slot.admit(most.get(slot) ?? 0);
  }
}

/** Turns have been short for so long: the supervisor decides again who gets whom. */
const calmMs = 1000;
/** A gateway may take as many as it can in so many turns before it is heard again. */
const ahead = 4;

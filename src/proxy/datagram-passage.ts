import { addressChangesOf } from '../sim/address-changes.ts';
import type { AddressChanges } from '../sim/connection.ts';
import type { Direction, NetworkProfile } from '../sim/profile/profile.ts';
import type { DrawKey } from '../stats/draws.ts';
import { DatagramLane, type Fate } from './datagram-lane.ts';
import type { DatagramMeter, Dropped } from './datagram-meter.ts';
import type { Due } from './due-queue.ts';
import type { HeldBytes } from './held-bytes.ts';

/** A socket from which datagrams are sent. `done` says whether the system took it. */
export type Sender = { send(bytes: Buffer, done: (taken: boolean) => void): void };

/** The client's address as the upstream sees it: a socket of its own. */
export type Outlet = Sender & { close(): void };

export type DatagramPassageOptions = {
  network: NetworkProfile;
  key: DrawKey;
  /** us since the client came. */
  nowUs(): number;
  client: Sender;
  /** Opens an outlet; what the upstream answers to it is given to `heard`. */
  openOutlet(heard: (bytes: Buffer) => void): Outlet;
  meter: DatagramMeter;
  held: HeldBytes;
  /** `nextUs` may have come nearer. */
  changed(): void;
  /** Nothing was said either way for `idleUs`. */
  fellSilent(): void;
};

/**
 * How long a client may be silent, us: a NAT must not forget a mapping earlier (RFC 4787, 4.3).
 */
export const idleUs = 120_000_000;

/**
 * One client's datagrams through its own network. What is lost is lost: whoever speaks over UDP
 * sends again what it wants to. When the network gives the device another address, datagrams leave
 * from another socket, and those on their way to the old one never arrive.
 */
export class DatagramPassage implements Due {
  readonly #options: DatagramPassageOptions;
  readonly #lanes: Record<Direction, DatagramLane>;
  readonly #addressChange: AddressChanges;
  #outlet: Outlet;
  /** The outlet before: datagrams that were sent before the change still leave from it. */
  #oldOutlet: Outlet | undefined;
  /** From when on datagrams of the device leave from `#outlet`, us. */
  #movedUs = 0;
  #lastUs = 0;
  #over = false;

  constructor(options: DatagramPassageOptions) {
    const { network, key } = options;
    this.#options = options;
    this.#lanes = { up: new DatagramLane(network, 'up', key), down: new DatagramLane(network, 'down', key) };
    this.#addressChange = addressChangesOf(network.events, key);
    this.#outlet = this.#openOutlet();
  }

  /** The client sends a datagram. */
  say(bytes: Buffer): void {
    this.#take('up', bytes);
  }

  nextUs(): number {
    if (this.#over) return Number.POSITIVE_INFINITY;
    return Math.min(this.#lanes.up.nextUs, this.#lanes.down.nextUs, this.#addressChange.nextUs, this.#lastUs + idleUs);
  }

  run(): void {
    if (this.#over) return;
    const nowUs = this.#options.nowUs();
    this.#advance(nowUs);
    if (nowUs - this.#lastUs >= idleUs) this.#options.fellSilent();
  }

  /** Ends it at once: what is on its way is forgotten. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const direction of directions)
      for (const { bytes } of this.#lanes[direction].clear()) this.#options.held.release(bytes.length);
    this.#oldOutlet?.close();
    this.#outlet.close();
  }

  #take(direction: Direction, bytes: Buffer): void {
    const { meter, held, nowUs, changed } = this.#options;
    const atUs = nowUs();
    this.#advance(atUs);
    this.#lastUs = atUs;
    meter.came(direction, bytes.length);
    if (!held.hold(bytes.length)) {
      meter.dropped(direction, 'overflow');
      return;
    }
    const fate = this.#lanes[direction].send(bytes, atUs);
    if (fate !== 'waits') {
      held.release(bytes.length);
      meter.dropped(direction, countedAs[fate]);
    }
    // Without a delay it is due now, and need not wait for a timer.
    if (this.nextUs() <= atUs) this.#advance(atUs);
    changed();
  }

  /** Everything that is due by nowUs, in order of time. */
  #advance(nowUs: number): void {
    for (;;) {
      const { up, down } = this.#lanes;
      const atUs = Math.min(up.nextUs, down.nextUs, this.#addressChange.nextUs);
      if (this.#over || atUs > nowUs) return;
      if (this.#addressChange.nextUs === atUs) this.#move(atUs);
      else this.#pass(up.nextUs === atUs ? 'up' : 'down', nowUs);
    }
  }

  #pass(direction: Direction, nowUs: number): void {
    const { client, meter, held } = this.#options;
    const { bytes, readUs, atUs } = this.#lanes[direction].take();
    const to = direction === 'down' ? client : readUs >= this.#movedUs ? this.#outlet : this.#oldOutlet!;
    this.#lastUs = nowUs;
    to.send(bytes, (taken) => {
      held.release(bytes.length);
      if (taken) meter.passed(direction, atUs - readUs, nowUs - atUs);
      else meter.dropped(direction, 'overflow');
    });
  }

  #move(atUs: number): void {
    const { meter, held } = this.#options;
    this.#addressChange.step();
    meter.clients.moved++;
    for (const { bytes } of this.#lanes.down.clear()) {
      held.release(bytes.length);
      meter.dropped('down', 'lost');
    }
    this.#oldOutlet?.close();
    this.#oldOutlet = this.#outlet;
    this.#outlet = this.#openOutlet();
    this.#movedUs = atUs;
  }

  #openOutlet(): Outlet {
    const { meter, openOutlet } = this.#options;
    const outlet = openOutlet((bytes) => {
      if (this.#over) return;
      if (outlet === this.#outlet) {
        this.#take('down', bytes);
        return;
      }
      // The upstream does not know yet that nobody is there any more.
      meter.came('down', bytes.length);
      meter.dropped('down', 'lost');
    });
    return outlet;
  }
}

const countedAs: Record<Exclude<Fate, 'waits'>, Dropped> = { lost: 'lost', 'queue full': 'queue_drops' };
const directions = ['up', 'down'] as const;

import { DeviceNetwork } from './network.ts';
import type { Direction, NetworkProfile } from './profile/profile.ts';
import { ScheduleHash } from './schedule-hash.ts';
import type { FlowCounters } from './transport/transport.ts';

/**
 * What flows through the network in a simulated run: as a device that streams speech and hears
 * feedback does.
 */
export type FlowOptions = {
  seed: number;
  durationUs: number;
  /** Client 0, 1, ...: each has a network of its own. */
  clients?: number;
  /** What comes before it is not counted. */
  warmupUs?: number;
  up?: Traffic;
  /** `echo`: a message of that many bytes for each that arrives. */
  down?: Traffic | { echoBytes: number };
};

/** A message of that many bytes each interval. */
type Traffic = { bytes: number; intervalUs: number };

export type FlowResult = {
  up: DirectionResult;
  down: DirectionResult;
  /**
   * From the call of connect to the open connection, us, a client each; infinite where it never
   * opened.
   */
  connectUs: readonly number[];
  /** Over every delivery of every client, hexadecimal. */
  hash: string;
};

export type DirectionResult = {
  written: number;
  /**
   * One-way, us, from write to whole message, in order of delivery; those of the warm-up and those
   * that never arrived are left out.
   */
  latenciesUs: Float64Array;
  /** When each of them was written, us. */
  sentUs: Float64Array;
  lost: number;
  /** Had not arrived `drainUs` after the end. */
  undelivered: number;
  /**
   * One entry a client, in order: how many of the latencies are its own, and how many of its
   * messages are undelivered.
   */
  clients: readonly { delivered: number; undelivered: number }[];
  counters: FlowCounters;
};

/** One 648-byte frame each 20 ms: 20 ms of 16 kHz PCM in a masked WebSocket frame. */
const speech: Traffic = { bytes: 648, intervalUs: 20_000 };
const feedback: Traffic = { bytes: 62, intervalUs: 500_000 };

/**
 * How long after the end what is on its way may still arrive, us. Without it the last frames of
 * every run would be missing, and could not be told from those of an outage.
 */
export const drainUs = 10_000_000;

/** Runs flows in virtual time, as fast as the machine can. */
export function simulateFlow(profile: NetworkProfile, options: FlowOptions): FlowResult {
  const meters = { up: new Meter(), down: new Meter() };
  const hash = new ScheduleHash();
  const connectUs: number[] = [];
  for (let client = 0; client < (options.clients ?? 1); client++) {
    connectUs.push(runClient(profile, options, client, meters, hash));
    for (const direction of directions) meters[direction].endClient();
  }
  return { up: meters.up.result(), down: meters.down.result(), connectUs, hash: hash.hex() };
}

function runClient(
  profile: NetworkProfile,
  options: FlowOptions,
  client: number,
  meters: { up: Meter; down: Meter },
  hash: ScheduleHash,
): number {
  const { seed, durationUs, warmupUs = 5_000_000, up = speech, down = feedback } = options;
  const network = new DeviceNetwork(profile, { seed, client });
  const messages = { up: new Messages(), down: new Messages() };
  let connection = network.connect(0);
  let openedUs = never;
  let reconnectUs = never;
  let next: Record<Direction, number> = { up: never, down: never };
  const write = (direction: Direction, bytes: number, atUs: number) => {
    messages[direction].write(bytes, atUs);
    if (atUs >= warmupUs) meters[direction].written++;
    connection.write(direction, bytes, atUs);
  };
  const sink = {
    opened(atUs: number) {
      if (openedUs !== never) return;
      openedUs = atUs;
      next = { up: atUs, down: 'echoBytes' in down ? never : atUs };
    },
    delivered(direction: Direction, number: number, atUs: number) {
      const { id, sentUs } = messages[direction].settle(number);
      if (atUs <= durationUs) hash.add(client, direction, id, atUs);
      if (sentUs >= warmupUs) meters[direction].deliver(sentUs, atUs);
      if (direction === 'up' && 'echoBytes' in down && atUs <= durationUs) write('down', down.echoBytes, atUs);
    },
    lost(direction: Direction, number: number) {
      if (messages[direction].settle(number).sentUs >= warmupUs) meters[direction].lost++;
    },
    closed() {},
    addressChanged(atUs: number, retryAfterUs: number) {
      reconnectUs = atUs + retryAfterUs;
    },
  };
  /** The app resumes: what has not arrived is written again to the new connection, in order. */
  const reconnect = (atUs: number) => {
    reconnectUs = never;
    for (const direction of directions) meters[direction].count(connection.counters[direction]);
    connection = network.connect(atUs);
    for (const direction of directions)
      for (const bytes of messages[direction].resume()) connection.write(direction, bytes, atUs);
  };
  for (;;) {
    const atUs = Math.min(connection.nextUs(), next.up, next.down, reconnectUs);
    const draining = atUs > durationUs;
    if (atUs > durationUs + drainUs || (draining && messages.up.outstanding + messages.down.outstanding === 0)) break;
    if (draining) next = { up: never, down: never };
    connection.advance(atUs, sink);
    if (reconnectUs <= atUs) reconnect(atUs);
    if (next.up <= atUs) {
      write('up', up.bytes, atUs);
      next.up += up.intervalUs;
    }
    if (next.down <= atUs && !('echoBytes' in down)) {
      write('down', down.bytes, atUs);
      next.down += down.intervalUs;
    }
  }
  for (const direction of directions) meters[direction].count(connection.counters[direction]);
  return openedUs;
}

const never = Number.POSITIVE_INFINITY;
const directions = ['up', 'down'] as const;

/** The messages of one client in one direction; a new connection counts them from 0 again. */
class Messages {
  private readonly sentUs: number[] = [];
  private readonly bytes: number[] = [];
  private readonly settled: boolean[] = [];
  /** The message that each number of the present connection stands for. */
  private onWire: number[] = [];
  private open = 0;

  /** Written and not settled. */
  get outstanding(): number {
    return this.open;
  }

  write(bytes: number, atUs: number): void {
    this.onWire.push(this.sentUs.length);
    this.sentUs.push(atUs);
    this.bytes.push(bytes);
    this.settled.push(false);
    this.open++;
  }

  /** Marks a message as done: nothing more happens to it. */
  settle(number: number): { id: number; sentUs: number } {
    const id = this.onWire[number]!;
    if (!this.settled[id]) this.open--;
    this.settled[id] = true;
    return { id, sentUs: this.sentUs[id]! };
  }

  /** Begins a new connection with all that are not settled; their sizes. */
  resume(): number[] {
    this.onWire = this.onWire.filter((id) => !this.settled[id]);
    return this.onWire.map((id) => this.bytes[id]!);
  }
}

/** Latencies and counts of one direction. */
class Meter {
  written = 0;
  lost = 0;
  private readonly latencies: number[] = [];
  private readonly sent: number[] = [];
  private readonly counters: FlowCounters[] = [];
  private readonly clients: { delivered: number; undelivered: number }[] = [];

  deliver(sentUs: number, atUs: number): void {
    this.sent.push(sentUs);
    this.latencies.push(atUs - sentUs);
  }

  count(counters: FlowCounters): void {
    this.counters.push(counters);
  }

  /** What came since the client before is one client's. */
  endClient(): void {
    const before = (key: 'delivered' | 'undelivered') => this.clients.reduce((sum, client) => sum + client[key], 0);
    const undelivered = this.written - this.latencies.length - this.lost;
    this.clients.push({
      delivered: this.latencies.length - before('delivered'),
      undelivered: undelivered - before('undelivered'),
    });
  }

  result(): DirectionResult {
    const sum = (name: keyof FlowCounters) => this.counters.reduce((total, counters) => total + counters[name], 0);
    return {
      written: this.written,
      sentUs: Float64Array.from(this.sent),
      latenciesUs: Float64Array.from(this.latencies),
      lost: this.lost,
      undelivered: this.written - this.latencies.length - this.lost,
      clients: this.clients,
      counters: {
        packets: sum('packets'),
        retransmissions: sum('retransmissions'),
        timeouts: sum('timeouts'),
        dropped: sum('dropped'),
        bytesWritten: sum('bytesWritten'),
        bytesDelivered: sum('bytesDelivered'),
      },
    };
  }
}

import type { Direction } from '../sim/profile/profile.ts';
import { Latencies, type Lateness, type Percentiles } from './latencies.ts';

/** One direction of UDP over some time; latencies are those of the model, of what was passed on. */
export type DatagramTraffic = Percentiles & {
  /** Datagrams that came in, and their bytes without headers. */
  datagrams: number;
  bytes: number;
  passed: number;
  /** By the network: its loss, a gap, or an address that the client no longer has. */
  lost: number;
  /** Found the queue of the network's link full. */
  queue_drops: number;
  /** What the proxy had no room for, or the system did not take. */
  overflow: number;
};

/** What `speechfb netsim --listen --udp --json` prints when it is stopped. */
export type DatagramSummary = {
  version: 1;
  protocol: 'udp';
  profile: string;
  source: string;
  seed: number;
  elapsed_ms: number;
  clients: ClientCounts;
  up: DatagramTraffic;
  down: DatagramTraffic;
  lateness: Lateness;
};

export type ClientCounts = {
  /** Addresses that sent something, and of those: who is there at the end, and who fell silent. */
  seen: number;
  open: number;
  idle: number;
  /** Clients for whom there was no place; an address counts again each time it is turned away. */
  refused: number;
  /** Changes of address that the network made. */
  moved: number;
  /** Answers of the upstream's machine that nothing listens there. */
  unreachable: number;
};

/** Ways of a datagram to be no longer there, besides being passed on. */
export type Dropped = 'lost' | 'queue_drops' | 'overflow';

/** Everything that the proxy of UDP counts: since it began, and since the last line. */
export class DatagramMeter {
  readonly clients: Omit<ClientCounts, 'open'> = { seen: 0, idle: 0, refused: 0, moved: 0, unreachable: 0 };
  readonly #whole = { up: new TrafficMeter(), down: new TrafficMeter() };
  readonly #second = { up: new TrafficMeter(), down: new TrafficMeter() };
  readonly #late = new Latencies();

  came(direction: Direction, bytes: number): void {
    for (const meter of this.#metersOf(direction)) meter.came(bytes);
  }

  passed(direction: Direction, latencyUs: number, lateUs: number): void {
    for (const meter of this.#metersOf(direction)) meter.latencies.record(latencyUs);
    this.#late.record(lateUs);
  }

  dropped(direction: Direction, how: Dropped): void {
    for (const meter of this.#metersOf(direction)) meter.dropped[how]++;
  }

  /** What happened since the last call. */
  takeSecond(): Record<Direction, DatagramTraffic> {
    const taken = read(this.#second);
    this.#second.up.reset();
    this.#second.down.reset();
    return taken;
  }

  total(): Record<Direction, DatagramTraffic> & { lateness: Lateness } {
    return { ...read(this.#whole), lateness: this.#late.readLateness() };
  }

  #metersOf(direction: Direction): TrafficMeter[] {
    return [this.#whole[direction], this.#second[direction]];
  }
}

class TrafficMeter {
  readonly latencies = new Latencies();
  dropped: Record<Dropped, number> = noDrops();
  #datagrams = 0;
  #bytes = 0;

  came(bytes: number): void {
    this.#datagrams++;
    this.#bytes += bytes;
  }

  read(): DatagramTraffic {
    return {
      datagrams: this.#datagrams,
      bytes: this.#bytes,
      passed: this.latencies.count,
      ...this.dropped,
      ...this.latencies.read(),
    };
  }

  reset(): void {
    this.latencies.reset();
    this.dropped = noDrops();
    this.#datagrams = 0;
    this.#bytes = 0;
  }
}

function noDrops(): Record<Dropped, number> {
  return { lost: 0, queue_drops: 0, overflow: 0 };
}

function read(meters: Record<Direction, TrafficMeter>): Record<Direction, DatagramTraffic> {
  return { up: meters.up.read(), down: meters.down.read() };
}

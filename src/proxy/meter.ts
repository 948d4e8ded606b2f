import type { Direction } from '../sim/profile/profile.ts';
import type { FlowCounters } from '../sim/transport/transport.ts';
import { Latencies, type Lateness, type Percentiles } from './latencies.ts';

/** One direction over some time. */
export type DirectionTraffic = Percentiles & {
  bytes: number;
  /** Pieces as they were read, of at most one segment. */
  pieces: number;
};

/** What `speechfb netsim --listen --json` prints when it is stopped. */
export type ProxySummary = {
  version: 1;
  profile: string;
  source: string;
  modelled: boolean;
  seed: number;
  elapsed_ms: number;
  connections: { accepted: number; unreachable: number; died: number };
  up: DirectionTraffic & { retransmissions: number; timeouts: number };
  down: DirectionTraffic & { retransmissions: number; timeouts: number };
  /** How much later than the model said the sockets were written to. */
  lateness: Lateness;
};

/** Latencies of one direction, from read to delivery, as the model has them. */
class TrafficMeter {
  #bytes = 0;
  readonly #latencies = new Latencies();

  deliver(bytes: number, latencyUs: number): void {
    this.#bytes += bytes;
    this.#latencies.record(latencyUs);
  }

  /** Since the last reset. */
  read(): DirectionTraffic {
    return { bytes: this.#bytes, pieces: this.#latencies.count, ...this.#latencies.read() };
  }

  reset(): void {
    this.#bytes = 0;
    this.#latencies.reset();
  }
}

/** Everything that the proxy counts: since it began, and since the last line. */
export class ProxyMeter {
  accepted = 0;
  unreachable = 0;
  died = 0;
  readonly ended: Record<Direction, { retransmissions: number; timeouts: number }> = {
    up: noCounts(),
    down: noCounts(),
  };
  readonly #whole = { up: new TrafficMeter(), down: new TrafficMeter() };
  readonly #second = { up: new TrafficMeter(), down: new TrafficMeter() };
  readonly #late = new Latencies();

  deliver(direction: Direction, bytes: number, latencyUs: number, lateUs: number): void {
    this.#whole[direction].deliver(bytes, latencyUs);
    this.#second[direction].deliver(bytes, latencyUs);
    this.#late.record(lateUs);
  }

  /** Keeps what a connection that is over has counted. */
  end(counters: Record<Direction, FlowCounters>): void {
    for (const direction of ['up', 'down'] as const) add(this.ended[direction], counters[direction]);
  }

  /** What happened since the last call. */
  takeSecond(): Record<Direction, DirectionTraffic> {
    const taken = { up: this.#second.up.read(), down: this.#second.down.read() };
    this.#second.up.reset();
    this.#second.down.reset();
    return taken;
  }

  total(): Record<Direction, DirectionTraffic> {
    return { up: this.#whole.up.read(), down: this.#whole.down.read() };
  }

  lateness(): Lateness {
    return this.#late.readLateness();
  }
}

export function add(
  sum: { retransmissions: number; timeouts: number },
  more: { retransmissions: number; timeouts: number },
): void {
  sum.retransmissions += more.retransmissions;
  sum.timeouts += more.timeouts;
}

function noCounts() {
  return { retransmissions: 0, timeouts: 0 };
}

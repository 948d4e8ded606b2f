import { build, type Histogram } from 'hdr-histogram-js';
import type { Direction } from '../sim/profile/profile.ts';
import type { FlowCounters } from '../sim/transport/transport.ts';

/** One direction over some time; ms, null when nothing was delivered. */
export type DirectionTraffic = {
  bytes: number;
  /** Pieces as they were read, of at most one segment. */
  pieces: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  max_ms: number | null;
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
  lateness: { p50_ms: number | null; p99_ms: number | null; max_ms: number | null };
};

/** Latencies of one direction, from read to delivery, as the model has them. */
class TrafficMeter {
  #bytes = 0;
  readonly #histogram = newHistogram();

  deliver(bytes: number, latencyUs: number): void {
    this.#bytes += bytes;
    recordUs(this.#histogram, latencyUs);
  }

  /** Since the last reset. */
  read(): DirectionTraffic {
    const histogram = this.#histogram;
    return {
      bytes: this.#bytes,
      pieces: histogram.totalCount,
      p95_ms: atPercentile(histogram, 95),
      ...middleAndTail(histogram),
    };
  }

  reset(): void {
    this.#bytes = 0;
    this.#histogram.reset();
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
  readonly #late = newHistogram();

  deliver(direction: Direction, bytes: number, latencyUs: number, lateUs: number): void {
    this.#whole[direction].deliver(bytes, latencyUs);
    this.#second[direction].deliver(bytes, latencyUs);
    recordUs(this.#late, lateUs);
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

  lateness(): ProxySummary['lateness'] {
    return middleAndTail(this.#late);
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

function middleAndTail(histogram: Histogram) {
  return {
    p50_ms: atPercentile(histogram, 50),
    p99_ms: atPercentile(histogram, 99),
    max_ms: atPercentile(histogram, 100),
  };
}

function atPercentile(histogram: Histogram, percentile: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(percentile) / 1000;
}

function recordUs(histogram: Histogram, us: number): void {
  histogram.recordValue(Math.min(hourUs, Math.max(0, Math.round(us))));
}

const hourUs = 3_600_000_000;

/** us from 1 to an hour, to three significant digits. */
function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: hourUs,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  });
}

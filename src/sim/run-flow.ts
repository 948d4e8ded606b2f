import type { FlowCounters } from './connection.ts';
import { PhoneNetwork } from './network.ts';
import type { Direction, NetworkProfile } from './profile.ts';
import { ScheduleHash } from './schedule-hash.ts';

/** What flows through the network in a simulated run: as a phone that streams speech and hears feedback does. */
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
export type Traffic = { bytes: number; intervalUs: number };

export type FlowResult = {
  up: DirectionResult;
  down: DirectionResult;
  /** From the call of connect to the open connection, us, a client each; infinite where it never opened. */
  connectUs: readonly number[];
  /** Over every delivery of every client, hexadecimal. */
  hash: string;
};

export type DirectionResult = {
  written: number;
  /** One-way, us, from write to whole message, in order of delivery; those of the warm-up and those still on their way at the end are left out. */
  latenciesUs: Float64Array;
  lost: number;
  undelivered: number;
  counters: FlowCounters;
};

/** One 648-byte frame each 20 ms: 20 ms of 16 kHz PCM in a masked WebSocket frame. */
const speech: Traffic = { bytes: 648, intervalUs: 20_000 };
const feedback: Traffic = { bytes: 62, intervalUs: 500_000 };

/** Runs flows in virtual time, as fast as the machine can. */
export function simulateFlow(profile: NetworkProfile, options: FlowOptions): FlowResult {
  const meters = { up: new Meter(), down: new Meter() };
  const hash = new ScheduleHash();
  const connectUs: number[] = [];
  for (let client = 0; client < (options.clients ?? 1); client++) {
    connectUs.push(runClient(profile, options, client, meters, hash));
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
  const network = new PhoneNetwork(profile, { seed, client });
  const connection = network.connect(0);
  let openedUs = Number.POSITIVE_INFINITY;
  const written: Record<Direction, number[]> = { up: [], down: [] };
  let next: Record<Direction, number> = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY };
  const write = (direction: Direction, bytes: number, atUs: number) => {
    written[direction].push(atUs);
    if (atUs >= warmupUs) meters[direction].written++;
    connection.write(direction, bytes, atUs);
  };
  const sink = {
    opened(atUs: number) {
      openedUs = atUs;
      next = { up: atUs, down: 'echoBytes' in down ? Number.POSITIVE_INFINITY : atUs };
    },
    delivered(direction: Direction, number: number, atUs: number) {
      const sentUs = written[direction][number]!;
      hash.add(client, direction, number, atUs);
      if (sentUs >= warmupUs) meters[direction].latency(atUs - sentUs);
      if (direction === 'up' && 'echoBytes' in down) write('down', down.echoBytes, atUs);
    },
    lost(direction: Direction, number: number) {
      if (written[direction][number]! >= warmupUs) meters[direction].lost++;
    },
    closed() {},
    addressChanged() {},
  };
  for (;;) {
    const atUs = Math.min(connection.nextUs(), next.up, next.down);
    if (atUs > durationUs) break;
    connection.advance(atUs, sink);
    if (next.up <= atUs) {
      write('up', up.bytes, atUs);
      next.up += up.intervalUs;
    }
    if (next.down <= atUs && !('echoBytes' in down)) {
      write('down', down.bytes, atUs);
      next.down += down.intervalUs;
    }
  }
  meters.up.count(connection.counters.up);
  meters.down.count(connection.counters.down);
  return openedUs;
}

/** Latencies and counts of one direction. */
class Meter {
  written = 0;
  lost = 0;
  private readonly latencies: number[] = [];
  private readonly counters: FlowCounters[] = [];

  latency(us: number): void {
    this.latencies.push(us);
  }

  count(counters: FlowCounters): void {
    this.counters.push(counters);
  }

  result(): DirectionResult {
    const sum = (name: keyof FlowCounters) => this.counters.reduce((total, counters) => total + counters[name], 0);
    return {
      written: this.written,
      latenciesUs: Float64Array.from(this.latencies),
      lost: this.lost,
      undelivered: this.written - this.latencies.length - this.lost,
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

import { upperBound } from '../stats/bisect.ts';
import { quantileRank } from '../stats/quantile.ts';
import type { Direction, NetworkProfile } from './profile/profile.ts';
import type { DirectionResult, FlowResult } from './run-flow.ts';

/**
 * One direction of a simulated run, over every frame that was written after the warm-up. A frame
 * that never arrived is later than any limit: a time that it makes infinite is null, as one is when
 * nothing was written. Times in ms; shares from 0 to 1.
 */
export type DirectionSummary = {
  /** Arrived, written after the warm-up. */
  frames: number;
  /** Had not arrived 10 s after the end. */
  undelivered: number;
  /** Never to come: dropped datagrams. */
  lost: number;
  mean_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  p999_ms: number | null;
  max_ms: number | null;
  over_400ms: number | null;
  over_1s: number | null;
  /** Segments with payload, those sent again included. */
  packets: number;
  retransmissions: number;
  timeouts: number;
  /** Packets that the path dropped, acknowledgements included. */
  dropped: number;
  /** True when one client or more is saturated. */
  saturated: boolean;
  /**
   * Clients of whose frames half wait for more than a second behind others: their connection does
   * not carry what is offered.
   */
  saturated_clients: number;
};

/**
 * Times in ms; a connection that never opened is later than any limit, and a time that it makes
 * infinite is null.
 */
export type ConnectSummary = {
  attempted: number;
  opened: number;
  mean: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  max: number | null;
};

/** What `speechfb netsim --json` prints. */
export type FlowSummary = {
  version: 1;
  profile: string;
  source: string;
  transport: NetworkProfile['transport'];
  /** QUIC: behaves as its RFCs say, and was held against two implementations. */
  modelled: boolean;
  seed: number;
  clients: number;
  duration_ms: number;
  warmup_ms: number;
  traffic: 'speech' | 'echo';
  up: DirectionSummary;
  down: DirectionSummary;
  /** From the first packet to the open WebSocket. */
  connect_ms: ConnectSummary;
  saturated: boolean;
  /** Hash of every delivery; the same seed and profile give the same. */
  hash: string;
};

export type FlowSettings = Pick<FlowSummary, 'seed' | 'clients' | 'duration_ms' | 'warmup_ms' | 'traffic'>;

/** The figures of a simulated run. */
export function summariseFlow(profile: NetworkProfile, result: FlowResult, settings: FlowSettings): FlowSummary {
  const up = directionOf(profile, 'up', result.up);
  const down = directionOf(profile, 'down', result.down);
  return {
    version: 1,
    profile: profile.name,
    source: profile.source,
    transport: profile.transport,
    modelled: profile.transport.startsWith('quic'),
    ...settings,
    up,
    down,
    connect_ms: connects(result.connectUs),
    saturated: up.saturated || down.saturated,
    hash: result.hash,
  };
}

/** One-way latencies in ms, ascending: infinite for what never arrived. */
export function sortedMs({ latenciesUs, undelivered, lost }: DirectionResult): Float64Array {
  const ms = new Float64Array(latenciesUs.length + undelivered + lost).fill(Number.POSITIVE_INFINITY);
  ms.set(latenciesUs.map((us) => us / 1000));
  return ms.sort();
}

function directionOf(profile: NetworkProfile, direction: Direction, result: DirectionResult): DirectionSummary {
  const ms = sortedMs(result);
  const n = ms.length;
  const { counters, undelivered, lost } = result;
  const quantile = (p: number) => (n === 0 ? null : finite(ms[quantileRank(n, p) - 1]!));
  const full = saturatedClients(result, profile[direction].delayUs + 1_000_000);
  const above = (limitMs: number) => (n === 0 ? null : (n - upperBound(ms, limitMs)) / n);
  return {
    frames: n - undelivered - lost,
    undelivered,
    lost,
    mean_ms: n === 0 ? null : finite(rounded(ms.reduce((sum, one) => sum + one, 0) / n)),
    p50_ms: quantile(0.5),
    p95_ms: quantile(0.95),
    p99_ms: quantile(0.99),
    p999_ms: quantile(0.999),
    max_ms: quantile(1),
    over_400ms: above(400),
    over_1s: above(1000),
    packets: counters.packets,
    retransmissions: counters.retransmissions,
    timeouts: counters.timeouts,
    dropped: counters.dropped,
    saturated: full > 0,
    saturated_clients: full,
  };
}

/** Counts clients with half of their frames, or more, later than the limit or undelivered. */
function saturatedClients({ clients, latenciesUs }: DirectionResult, limitUs: number): number {
  let end = 0;
  return clients.filter(({ delivered, undelivered }) => {
    const ofClient = latenciesUs.subarray(end, end + delivered);
    end += delivered;
    const late = ofClient.reduce((count, us) => count + (us > limitUs ? 1 : 0), undelivered);
    return late > (delivered + undelivered) / 2;
  }).length;
}

function connects(connectUs: readonly number[]): ConnectSummary {
  const ms = Float64Array.from(connectUs, (us) => us / 1000).sort();
  const quantile = (p: number) => finite(ms[quantileRank(ms.length, p) - 1]!);
  return {
    attempted: connectUs.length,
    opened: connectUs.filter(Number.isFinite).length,
    mean: finite(rounded(ms.reduce((sum, one) => sum + one, 0) / ms.length)),
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    max: quantile(1),
  };
}

function finite(ms: number): number | null {
  return Number.isFinite(ms) ? ms : null;
}

/** To the microsecond, as everything else is. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

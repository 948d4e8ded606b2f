import { describe, expect, it } from 'vitest';
import type { NetworkProfile, QuicWindows } from '../../src/sim/profile/profile.ts';
import { rfc9002Windows } from '../../src/sim/profile/profile.ts';
import { simulateFlow } from '../../src/sim/run-flow.ts';
import { iid, symmetric } from '../kit/profiles.ts';

/** As sessions of @currentspace/http3 0.9.0 tell. */
const quicheWindows: QuicWindows = { initialWindowBytes: 16_383_000, leastWindowBytes: 32_766 };

/**
 * Frames of 664 bytes each 20 ms, measured through `netsim --listen --udp` (docs/quic.md): five
 * learners of 30 s by quiche, three of 25 s by aioquic. They have some ms of a busy machine in them.
 */
describe('QUIC delays frames as real ones do', () => {
  it.each([
    ['quiche', 25, 0.01, quicheWindows, 26.7, 35.2, 97.7],
    ['quiche', 25, 0.02, quicheWindows, 26.6, 59.4, 99.4],
    ['quiche', 25, 0.05, quicheWindows, 26.8, 97.8, 119.9],
    ['quiche', 100, 0.02, quicheWindows, 102.9, 296.5, 336.5],
    ['quiche', 100, 0.05, quicheWindows, 107.7, 333.3, 514.3],
    ['aioquic', 25, 0.02, rfc9002Windows, 26.7, 60.9, 102.1],
  ])('%s on a stream, %i ms each way, %f lost', (_, delayMs, share, quic, p50Ms, p95Ms, p99Ms) => {
    const flow = speech(symmetric(delayMs, iid(share), {}, { transport: 'quic-stream', quic }));
    expect(Math.abs(flow(0.5) - p50Ms)).toBeLessThanOrEqual(10);
    expect(Math.abs(flow(0.95) - p95Ms)).toBeLessThanOrEqual(Math.max(12, 0.1 * p95Ms));
    expect(Math.abs(flow(0.99) - p99Ms)).toBeLessThanOrEqual(Math.max(12, 0.1 * p99Ms));
  });

  it.each([
    ['quic-stream', 185, 747],
    ['quic-datagram', 469, 1480],
  ] as const)('aioquic fills a window of the RFC over 100 ms and 2 %% loss: %s', (transport, p50Ms, p95Ms) => {
    const flow = speech(symmetric(100, iid(0.02), {}, { transport, quic: rfc9002Windows }));
    // Frames wait for a window that has just been halved: small samples differ by half.
    expect(flow(0.5) / p50Ms).toBeGreaterThan(0.5);
    expect(flow(0.5) / p50Ms).toBeLessThan(2);
    expect(flow(0.95) / p95Ms).toBeGreaterThan(0.5);
    expect(flow(0.95) / p95Ms).toBeLessThan(2);
  });
});

/** A quantile of the frames' latency one way, ms; what never came is later than any. */
function speech(profile: NetworkProfile): (share: number) => number {
  const options = { seed: 1, clients: 10, durationUs: 45_000_000, up: { bytes: 664, intervalUs: 20_000 } };
  const { up } = simulateFlow(profile, options);
  const sorted = up.latenciesUs.map((us) => us / 1000).sort();
  return (share) => sorted[Math.ceil(share * up.written) - 1] ?? Number.POSITIVE_INFINITY;
}

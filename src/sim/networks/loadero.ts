import { figures } from './build.ts';

/**
 * https://wiki.loadero.com/test-creation/participant-configuration/network-conditions/, incoming
 * figures first.
 */
const published = [
  ['loadero-4g', [100_000, 50_000], 0.2, 45, [5, 15]],
  ['loadero-3.5g', [20_000, 10_000], 0.5, 150, [10, 10]],
  ['loadero-3g', [1200, 1200], 0.5, 250, [50, 50]],
  ['loadero-edge', [200, 260], 1, 650, [100, 100]],
  ['loadero-gprs', [80, 20], 1, 650, [100, 100]],
] as const;

/**
 * Loadero shapes each direction by itself: its latency is taken as one way. Normal jitter is our
 * assumption.
 */
export const loadero = published.map(([name, [downKbit, upKbit], lossPercent, ms, [downJitterMs, upJitterMs]]) =>
  figures(
    name,
    `Loadero: ${downKbit}/${upKbit} kbit/s and jitter ${downJitterMs}/${upJitterMs} ms down/up, ${ms} ms, ${lossPercent} % loss`,
    {
      up: { kbit: upKbit, ms, lossPercent, jitterMs: upJitterMs },
      down: { kbit: downKbit, ms, lossPercent, jitterMs: downJitterMs },
    },
  ),
);

import type { Loss, NetworkEvent, NetworkProfile } from '../profile/profile.ts';
import { figures } from './build.ts';

/** Bad spells of 120 ms about each 8 s, as on a train: they outlast a retransmission. */
const fades: Loss = {
  model: 'gilbert-elliott',
  clock: 'time',
  goodUs: 8_000_000,
  badUs: 120_000,
  lossGood: 0.001,
  lossBad: 0.7,
};

/** Within LTE a handover takes 30-80 ms and loses nothing. */
const handovers: NetworkEvent = {
  kind: 'handover',
  when: { everyUs: 45_000_000, spreadUs: 15_000_000 },
  gapUs: 80_000,
  mode: 'buffer',
};

const tunnels: NetworkEvent = {
  kind: 'outage',
  when: { everyUs: 300_000_000, spreadUs: 0 },
  gapUs: 3_000_000,
  mode: 'drop',
};

/** What no tool has; each source says what is measured and what we assume. */
export const own: readonly NetworkProfile[] = [
  figures(
    '5G',
    'one way 7 ms down at best, 18 ms up at worst, measured in a public 5G NSA network (Rohde & Schwarz 2022); assumed: 200/50 Mbit/s, jitter 3 ms, 0.1 % loss',
    {
      up: { kbit: 50_000, ms: 18, jitterMs: 3, lossPercent: 0.1 },
      down: { kbit: 200_000, ms: 7, jitterMs: 3, lossPercent: 0.1 },
    },
  ),
  figures('lte-commute', 'assumed: LTE on a train, with fades, handovers and tunnels', {
    up: { kbit: 5000, ms: 30, jitterMs: 10, loss: fades },
    down: { kbit: 12_000, ms: 30, jitterMs: 10, loss: fades },
    events: [handovers, tunnels],
  }),
];

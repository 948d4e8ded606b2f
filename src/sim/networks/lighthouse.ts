import { figures } from './build.ts';

/** Lighthouse's mobile throttling ("slow 4G"): half of the RTT each way. */
export const lighthouse = [
  figures('lighthouse-mobile', 'Lighthouse mobile: 1.6 Mbit/s and 750 kbit/s down/up, RTT 150 ms, no loss', {
    up: { kbit: 750, ms: 75 },
    down: { kbit: 1600, ms: 75 },
  }),
];

import { figures } from './build.ts';

/** Augmented Traffic Control (Facebook), its profiles: rate and delay of each direction. */
export const atc = [
  figures('atc-3g-average', 'ATC 3G Average: 780/330 kbit/s down/up, 100 ms one way', {
    up: { kbit: 330, ms: 100 },
    down: { kbit: 780, ms: 100 },
  }),
  figures('atc-edge-average', 'ATC Edge Average: 240/200 kbit/s and 400/440 ms one way, down/up', {
    up: { kbit: 200, ms: 440 },
    down: { kbit: 240, ms: 400 },
  }),
  figures('atc-2g-dev-rural', 'ATC 2G Developing Rural: 20/18 kbit/s down/up, 650 ms one way, 2 % loss', {
    up: { kbit: 18, ms: 650, lossPercent: 2 },
    down: { kbit: 20, ms: 650, lossPercent: 2 },
  }),
];

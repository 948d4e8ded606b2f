import { figures } from './build.ts';

/** Apple's Network Link Conditioner: rate, delay and loss of each direction. */
export const apple = [
  figures('nlc-wifi', 'Apple Network Link Conditioner WiFi: 40/33 Mbit/s down/up, 1 ms one way', {
    up: { kbit: 33_000, ms: 1 },
    down: { kbit: 40_000, ms: 1 },
  }),
  figures('nlc-lte', 'Apple Network Link Conditioner LTE: 50/10 Mbit/s and 50/65 ms one way, down/up', {
    up: { kbit: 10_000, ms: 65 },
    down: { kbit: 50_000, ms: 50 },
  }),
  figures('nlc-very-bad', 'Apple Network Link Conditioner Very Bad Network: 1 Mbit/s, 500 ms one way, 10 % loss', {
    up: { kbit: 1000, ms: 500, lossPercent: 10 },
    down: { kbit: 1000, ms: 500, lossPercent: 10 },
  }),
];

import { figures } from './build.ts';

/**
 * https://github.com/catchpoint/WebPageTest, www/settings/connectivity.ini.sample: kbit/s down and
 * up, ms of RTT.
 */
const published = [
  ['wpt-2g', 280, 256, 800],
  ['wpt-edge', 240, 200, 840],
  ['wpt-3gslow', 400, 400, 400],
  ['wpt-3g', 1600, 768, 300],
  ['wpt-3gfast', 1600, 768, 150],
  ['wpt-4g', 9000, 9000, 170],
  ['wpt-lte', 12_000, 12_000, 70],
] as const;

/** Half of the RTT each way; WebPageTest loses nothing. */
export const webPageTest = published.map(([name, downKbit, upKbit, rttMs]) =>
  figures(name, `WebPageTest: ${downKbit}/${upKbit} kbit/s down/up, RTT ${rttMs} ms, no loss`, {
    up: { kbit: upKbit, ms: rttMs / 2 },
    down: { kbit: downKbit, ms: rttMs / 2 },
  }),
);

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { namedNetwork } from '../src/sim/networks/index.ts';
import type { NetworkProfile } from '../src/sim/profile/profile.ts';
import { quantileOfSorted } from '../src/stats/quantile.ts';
import { type Felt, measureFeedback, simulateFeedback, startServer } from './quic/feedback.ts';
import { type Measured, type MeasureOptions, measure, type Way, ways } from './quic/measure.ts';
import { type Drawn, quicPicture } from './quic/picture.ts';
import { predict } from './quic/predict.ts';

// What do learners gain from QUIC on a path that loses packets?
//   npm run bench quic -- --learners 5 --seconds 30 --networks 0%,1%,2%,5%,lte-commute --delay 25 --json run/quic.json --picture docs/quic.svg
// `feedback_latency` of load tests against one server with the model that ships, by all ways at once. With --simulated
// the same again, each learner on a simulated network with that transport: how near is what the simulator promises?
//   npm run bench quic -- --frames
// The same of frames of sound alone, without a server behind, and does the simulator know?
// A WebSocket goes through `netsim --listen`, which imposes simulated TCP; a real QUIC goes through `netsim --listen
// --udp`, which loses its packets. One way, from `send` to the server's event, of each frame that was sent; what never
// came is later than any. Beside each figure: what the simulator says of the same way, and in brackets where 95 % of
// runs of this size lie by it. A figure is off when it lies outside by more than the p99 of the same way without loss does,
// which is the machine's own lateness: threads that wait for a core, timers of a millisecond. Begin with a loss of 0.
const { values } = parseArgs({
  options: {
    learners: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    // A share that is lost on a path of --delay each way, or a network by name.
    networks: { type: 'string', default: '0%,1%,2%,5%,lte-commute' },
    delay: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    frames: { type: 'boolean', default: false },
    simulated: { type: 'boolean', default: false },
    json: { type: 'string' },
    picture: { type: 'string' },
  },
});
const figures = {
  p50: (sorted: Float64Array) => quantileOfSorted(sorted, 0.5),
  p95: (sorted: Float64Array) => quantileOfSorted(sorted, 0.95),
  p99: (sorted: Float64Array) => quantileOfSorted(sorted, 0.99),
  never: (sorted: Float64Array) =>
    100 * (sorted.filter((ms) => ms === Number.POSITIVE_INFINITY).length / sorted.length),
};
type Figure = keyof typeof figures;
const lossless = 'nothing lost';
/** Those of @currentspace/http3 0.9.0, as its sessions tell: 1,000 packets of 16,383 bytes, and two. */
const libraryWindows = { initialWindowBytes: 16_383_000, leastWindowBytes: 32_766 };
const names = Object.keys(figures) as Figure[];
const size = { seed: Number(values.seed), learners: Number(values.learners), seconds: Number(values.seconds) };
const table = new Table({
  head: [
    'network',
    'way',
    ...names.map((name) => (name === 'never' ? 'never %' : `${name} ms`)),
    'machine late p99',
    'off',
  ],
  style: { head: [], border: [] },
});
const given = values.networks.split(',');
const networks = given.map(networkOf);
if (!values.frames) {
  await feedback();
  process.exit(0);
}
const rows: Row[] = [];
for (const network of networks) {
  const options = { ...size, network };
  // At once, so that what the machine does meanwhile falls on all of them.
  const measured = await Promise.all(ways.map((way) => measure(way, options)));
  for (const [index, way] of ways.entries()) {
    const row = rowOf(way, measured[index]!, options);
    rows.push(row);
    table.push(shown(row));
  }
  process.stderr.write(`${network.name} is measured\n`);
}
process.stdout.write(
  `${table}\n${size.learners} learners, ${size.seconds} s each; ${values.delay} ms one way each way; seed ${size.seed}; measured, then simulated\n`,
);
save({ metric: 'frames', rows }, rows, 'Latency of frames of sound');

type Row = Drawn & Required<Pick<Drawn, 'predicted'>> & { machineLateP99Ms: number | null };

async function feedback(): Promise<void> {
  const head = ['network', 'way', 'p50 ms', 'p95 ms', 'p99 ms', 'never %', 'frames lost %'];
  const felt = new Table({ head, style: { head: [], border: [] } });
  const drawn: (Drawn & { simulated?: Felt })[] = [];
  const server = await startServer();
  for (const [place, network] of networks.entries()) {
    const options = { ...size, network };
    const path = scenarioNetwork(given[place]!);
    const measured = await Promise.all(ways.map((way) => measureFeedback(way, options, server.port)));
    const simulated = values.simulated
      ? await Promise.all(ways.map((way) => simulateFeedback(way, options, server.port, path)))
      : undefined;
    for (const [index, way] of ways.entries()) {
      const both = [measured[index]!, ...(simulated ? [simulated[index]!] : [])];
      const figure = (name: keyof Felt) => both.map((one) => text(one[name])).join(', ');
      drawn.push({ way, network: network.name, measured: both[0]!, ...(both[1] && { simulated: both[1] }) });
      felt.push([network.name, way, ...(['p50', 'p95', 'p99', 'never', 'lost'] as const).map(figure)]);
    }
    process.stderr.write(`${network.name} is measured\n`);
  }
  server.stop();
  const what = values.simulated ? 'measured, then over simulated networks' : 'measured';
  process.stdout.write(
    `${felt}\nfeedback_latency, ${what}; ${size.learners} learners a way, ${size.seconds} s; ${values.delay} ms each way; seed ${size.seed}\n`,
  );
  save({ metric: 'feedback_latency', rows: drawn }, drawn, 'Latency of feedback');
}

function save(document: object, drawn: readonly Drawn[], what: string): void {
  const { json, picture, delay } = values;
  if (json) writeFileSync(json, `${JSON.stringify({ delayMs: Number(delay), ...size, ...document }, null, 2)}\n`);
  if (picture) writeFileSync(picture, quicPicture(drawn, `${what} over ${delay} ms each way, by what carries it`));
}

function rowOf(way: Way, measured: Measured, options: MeasureOptions): Row {
  const of = (name: Figure) => [name, figures[name](measured.sortedMs)];
  return {
    way,
    network: options.network.name,
    measured: Object.fromEntries(names.map(of)) as Row['measured'],
    predicted: predict(way, options, figures),
    machineLateP99Ms: measured.latenessP99Ms,
  };
}

function shown(row: Row): string[] {
  const words = (name: Figure) => {
    const { low, middle, high } = row.predicted[name];
    return `${text(row.measured[name])}, ${text(middle)} [${text(low)}, ${text(high)}]`;
  };
  return [row.network, row.way, ...names.map(words), text(row.machineLateP99Ms ?? 0), off(row).join(' ')];
}

/** Figures outside of what the simulator says, by more than the machine's own lateness. */
function off({ way, network, measured, predicted }: Row): Figure[] {
  const without = rows.find((row) => row.way === way && row.network === lossless);
  if (network === lossless || without === undefined) return [];
  const slackMs = Math.max(1, without.measured.p99 - without.predicted.p99.high);
  return names.filter((name) => {
    const { low, high } = predicted[name];
    return measured[name] < low - 1e-9 || measured[name] > high + (name === 'never' ? 0 : slackMs);
  });
}

function text(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'never' : value.toFixed(1);
}

function networkOf(given: string): NetworkProfile {
  const share = Number(/^([\d.]+)%$/.exec(given)?.[1] ?? Number.NaN) / 100;
  if (Number.isNaN(share)) {
    const named = namedNetwork(given) ?? fail(`no network is named ${given}`);
    return { ...named, quic: libraryWindows };
  }
  const path: NetworkProfile['up'] = {
    delayUs: Number(values.delay) * 1000,
    jitter: undefined,
    reorder: false,
    rateBitsPerSecond: undefined,
    queuePackets: 1000,
    loss: share === 0 ? { model: 'none' } : { model: 'iid', share },
    opportunitiesMs: undefined,
  };
  return {
    name: share === 0 ? lossless : `${given} lost`,
    source: 'npm run bench quic',
    transport: 'tcp',
    tcp: { congestion: 'cubic', rtoMinUs: 200_000 },
    quic: libraryWindows,
    up: path,
    down: path,
    events: [],
  };
}

/** The same network as a scenario writes it. */
function scenarioNetwork(name: string): object {
  if (!name.endsWith('%')) return { extends: name, quic: libraryWindows };
  const path = { delay: `${values.delay}ms`, queue: 1000, ...(name !== '0%' && { loss: name }) };
  return { quic: libraryWindows, up: path, down: path };
}

function fail(why: string): never {
  throw new Error(why);
}

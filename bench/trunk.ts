import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Look, look, readyOf } from './trunk/look.ts';

// What does a frame of sound cost between a gateway and its nodes, beyond scoring it?
//   npm run bench trunk -- --sessions 500 --trunks 4 --seconds 10 --rounds 3
// A gateway and its nodes are processes of their own, scoring costs next to nothing. In each round the same sessions
// are scored in the gateway's process too, without a trunk: the difference is the gateway's side. CPU is that of whole
// processes, of every thread and of the kernel in their name. --cpu-prof DIR: a profile of each there.
const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '500' },
    trunks: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '10' },
    // Until the compiler is done with what is run most.
    settle: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '3' },
    'frame-ms': { type: 'string', default: '20' },
    'utterance-ms': { type: 'string', default: '6000' },
    'cpu-prof': { type: 'string' },
  },
});
const rounds: Round[] = [];
const table = new Table({
  head: ['round', 'frames a second', 'gateway us', 'of it without trunk', 'gateway side us', 'node side us'],
  style: { head: [], border: [] },
});
for (let round = 1; round <= Number(values.rounds); round += 1) {
  const measured = await measure();
  rounds.push(measured);
  table.push([round, ...cells(measured)]);
}
const median = (of: (round: Round) => number) => rounds.map(of).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
table.push([
  'median',
  ...cells({
    rate: median((r) => r.rate),
    gateway: median((r) => r.gateway),
    alone: median((r) => r.alone),
    node: median((r) => r.node),
  }),
]);
process.stdout.write(
  `${table}\nCPU us a frame of ${values['frame-ms']} ms; ${values.sessions} sessions over ${values.trunks} trunks\n`,
);

type Round = { rate: number; gateway: number; alone: number; node: number };

async function measure(): Promise<Round> {
  const alone = await run([]);
  const nodes = Array.from({ length: Number(values.trunks) }, () => child('node-process.js', []));
  try {
    const addresses = await Promise.all(nodes.map(readyOf));
    const { gateway, others } = await run(addresses, nodes);
    const frames = others.reduce((sum, { frames }) => sum + frames, 0);
    const cpuUs = others.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
    return {
      rate: gateway.frames / Number(values.seconds),
      gateway: gateway.cpuUs / gateway.frames,
      alone: alone.gateway.cpuUs / alone.gateway.frames,
      node: cpuUs / frames,
    };
  } finally {
    for (const node of nodes) node.kill();
  }
}

/** A gateway that reads while all are looked at; with addresses at nodes, else by itself. */
async function run(addresses: readonly string[], nodes: readonly ChildProcess[] = []) {
  const { sessions, seconds } = values;
  const gateway = child('gateway-process.js', [sessions, values['frame-ms'], values['utterance-ms'], ...addresses]);
  try {
    await readyOf(gateway);
    await delay(Number(values.settle) * 1000);
    const all = [gateway, ...nodes];
    const first = await Promise.all(all.map(look));
    await delay(Number(seconds) * 1000);
    const last = await Promise.all(all.map(look));
    const spent = last.map(
      ({ cpuUs, frames }, at): Look => ({
        cpuUs: cpuUs - first[at]!.cpuUs,
        frames: frames - first[at]!.frames,
      }),
    );
    return { gateway: spent[0]!, others: spent.slice(1) };
  } finally {
    gateway.kill();
  }
}

function child(file: string, args: readonly string[]): ChildProcess {
  const folder = values['cpu-prof'];
  const execArgv = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  return fork(new URL(`trunk/${file}`, import.meta.url), args, { execArgv });
}

function cells({ rate, gateway, alone, node }: Round): string[] {
  return [rate.toFixed(0), ...[gateway, alone, gateway - alone, node].map((us) => us.toFixed(1))];
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

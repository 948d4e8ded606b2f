import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { renderNetsim, renderNetworks } from '../../report/network/netsim-text.ts';
import { type FlowSummary, summariseFlow } from '../../sim/flow-summary.ts';
import { namedNetworks } from '../../sim/networks/index.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { type FlowResult, simulateFlow } from '../../sim/run-flow.ts';
import { parseDurationMs } from '../../units.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { NetsimFlags } from './flags.ts';
import { readNetwork } from './read.ts';

const warmupMs = 5000;
/**
 * The answer to a frame in the echo traffic of the measurements that docs/network.md compares with.
 */
const echoBytes = 644;

/**
 * Simulates the network in virtual time, or imposes it on real connections. 98 when nothing was
 * delivered.
 */
export async function runNetsim(profile: string | undefined, flags: NetsimFlags): Promise<ExitCode> {
  if (flags.list) {
    if (flags.json) printJson(namedNetworks);
    else printReport(namedNetworks, renderNetworks);
    return exitCodes.pass;
  }
  const network = readNetwork(profile, flags);
  if (flags.listen !== undefined || flags.upstream !== undefined) {
    const { runProxy } = await import('./proxy.ts');
    return runProxy(network, flags);
  }
  if (flags.udp) throw new SpeechfbError('bad_flag', '--udp is of proxies; allowed: with --listen and --upstream');
  const { summary, result } = simulate(network, flags);
  const plot = flags.plot === true || process.stdout.isTTY === true;
  const plotted = plot ? { result, columns: process.stdout.columns ?? 100 } : undefined;
  if (flags.json) printJson(summary);
  else
    printReport({ summary, network }, (shown, paint, columns) =>
      renderNetsim({ ...shown, columns, plot: plotted }, paint),
    );
  return summary.up.frames === 0 ? exitCodes.invalid : exitCodes.pass;
}

function simulate(network: NetworkProfile, flags: NetsimFlags): { summary: FlowSummary; result: FlowResult } {
  const durationMs = flag('--duration', parseDurationMs)(flags.duration ?? '500s');
  const seed = flag('--seed', wholeNumber(0, 0xffffffff))(flags.seed);
  const clients = flag('--clients', wholeNumber(1, 10_000))(flags.clients ?? '1');
  if (durationMs <= warmupMs || durationMs * clients > longestMs)
    throw new SpeechfbError(
      'bad_flag',
      `--duration: "${flags.duration}" ${durationMs <= warmupMs ? 'ends before the first frame counts' : 'is too long'}; allowed: above 5s, all clients together at most 24h`,
    );
  const result = simulateFlow(network, {
    seed,
    clients,
    durationUs: Math.round(durationMs * 1000),
    warmupUs: warmupMs * 1000,
    ...(flags.traffic === 'echo' ? { down: { echoBytes } } : {}),
  });
  const settings = { seed, clients, duration_ms: durationMs, warmup_ms: warmupMs, traffic: flags.traffic };
  return { summary: summariseFlow(network, result, settings), result };
}

const longestMs = 24 * 3_600_000;

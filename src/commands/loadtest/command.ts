import { type Command, Option } from 'commander';
import { transports } from '../../client/link/quic-way.ts';
import type { ExitCode } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { parseDurationMs } from '../../units.ts';
import { paragraph } from '../help.ts';
import type { RegisterCommand } from '../register.ts';
import { checkLoadtestFlags } from './check-flags.ts';
import type { LoadtestFlags } from './flags.ts';

const exits =
  'Exits 0 when every objective is proven, 99 when one is missed, 98 when the run proves nothing (too few samples, or a ' +
  'generator that was late), 2 on bad input, 130 after Ctrl-C: once ends it early with what was measured, twice at once.';

/** `speechfb loadtest SCENARIO`. */
export const registerLoadtest: RegisterCommand = (program: Command, done) => {
  program
    .command('loadtest')
    .description('Loads a server with learners who speak, measures every stage and judges the objectives.')
    .argument(
      '<scenario>',
      'YAML of kind LoadScenario, or the name of one that ships, as quickstart; - for standard input',
    )
    .option('--url <url>', 'the server to load, ws(s):// or grpc(s)://, instead of one started beside the test')
    .addOption(
      new Option('--transport <name>', 'what carries speechfb.v1, instead of what the scenario says').choices(
        transports,
      ),
    )
    .option('--duration <duration>', 'how long learners speak, instead of what the scenario says, for example 20s')
    .option('--out <dir>', 'where to write the run directory: run.json, summary.md, junit.xml, histograms, traces')
    .option('--seed <number>', 'who comes when, and says what; the same number gives the same schedule')
    .option('--token-file <file>', 'has the bearer token for --url, as the last word of its first line')
    .option('--yes-load <host>', 'you may load this host, which is beyond loopback and private addresses')
    .option(
      '--generators <number>',
      'processes that make the load; by default one a core that the server leaves, at most one for 50 learners',
      flag('--generators', wholeNumber(1, 1024)),
    )
    .option('--shard <i/n>', 'only the i-th of n parts of the test, as 2/4; speechfb merge joins the results')
    .option('--start-at <time>', 'when learners begin, so that shards begin together, as 2026-11-26T09:30:00Z')
    .option(
      '--runs <number>',
      'run it so many times, each with the next seed; DIR of --out gets run-1, run-2 and so on',
      flag('--runs', wholeNumber(1, 100)),
    )
    .option('--find-capacity', 'search the largest load that meets the objectives; --out DIR gets curve.json')
    .option(
      '--from <learners>',
      'the first load of --find-capacity; 10 unless given',
      flag('--from', wholeNumber(1, 100_000)),
    )
    .option('--most <learners>', 'its largest load; 100000 unless given', flag('--most', wholeNumber(1, 100_000)))
    .option(
      '--step <duration>',
      'how long each of its loads is held; 20s unless given',
      flag('--step', parseDurationMs),
    )
    .option('--validate', 'check the scenario and its files, show what would run, and stop')
    .option(
      '--assume-independent',
      'take samples of one session as independent: fewer sessions prove more, and prove it falsely more often',
    )
    .option('--push-prometheus <url>', 'a Pushgateway that gets the metrics at the end, http://host:9091')
    .option('--otlp <url>', 'an OTLP/HTTP receiver that gets the metrics at the end, http://host:4318')
    .addOption(new Option('--json', 'one JSON document on stdout, the same as run.json'))
    .addHelpText('after', paragraph(exits))
    .action(async (file: string, flags: LoadtestFlags) => done(await run(file, flags)));
};

async function run(file: string, flags: LoadtestFlags): Promise<ExitCode> {
  checkLoadtestFlags(flags);
  if (flags.validate) {
    const { validateLoadtest } = await import('./validate.ts');
    return validateLoadtest(file, flags);
  }
  if (flags.findCapacity) {
    const { findLoadCapacity } = await import('./find-capacity.ts');
    return await findLoadCapacity(file, flags);
  }
  if (flags.runs !== undefined && flags.runs > 1) {
    const { runLoadtests } = await import('./runs.ts');
    return await runLoadtests(file, flags.runs, flags);
  }
  const { runLoadtest } = await import('./run.ts');
  return await runLoadtest(file, flags);
}

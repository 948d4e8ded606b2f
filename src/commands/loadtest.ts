import { type Command, Option } from 'commander';
import { flag, wholeNumber } from '../flag.ts';
import type { RegisterCommand } from './register.ts';

type Flags = {
  url?: string;
  duration?: string;
  out?: string;
  seed?: string;
  json?: true;
  tokenFile?: string;
  generators?: number;
};

/** `speechfb loadtest SCENARIO`. */
export const registerLoadtest: RegisterCommand = (program: Command, done) => {
  program
    .command('loadtest')
    .description('Loads a server with learners who speak, measures every stage and judges the objectives.')
    .argument('<scenario>', 'YAML of kind LoadScenario, for example scenarios/quickstart.yaml')
    .option('--url <url>', 'the server to load, ws:// or wss://, instead of one started beside the test')
    .option('--duration <duration>', 'how long learners speak, for example 20s')
    .option('--out <dir>', 'where to write run.json, summary.md, histograms.hlog and traces.ndjson.gz')
    .option('--seed <number>', 'another schedule')
    .option('--token-file <file>', 'the bearer token for --url: its last word')
    .option(
      '--generators <number>',
      'processes that make the load; by default one a core that the server leaves, at most one for 50 learners',
      flag('--generators', wholeNumber(1, 1024)),
    )
    .addOption(new Option('--json', 'one JSON document on stdout, the same as run.json'))
    .action(async (file: string, flags: Flags) => {
      const { runLoadtest } = await import('./loadtest-run.ts');
      done(await runLoadtest(file, flags));
    });
};

export type { Flags as LoadtestFlags };

import { type Command, Option } from 'commander';
import type { RegisterCommand } from './register.ts';

type Flags = {
  url?: string;
  duration?: string;
  out?: string;
  seed?: string;
  json?: true;
  tokenFile?: string;
  validate?: true;
  shard?: string;
  startAt?: string;
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
    .option('--shard <i/n>', 'only the i-th of n parts of the test, as 2/4; speechfb merge joins the results')
    .option('--start-at <time>', 'when learners begin, so that shards begin together, as 2026-11-26T09:30:00Z')
    .option('--validate', 'check the scenario and its files, show what would run, and stop')
    .addOption(new Option('--json', 'one JSON document on stdout, the same as run.json'))
    .action(async (file: string, flags: Flags) => {
      if (flags.validate) {
        const { validateLoadtest } = await import('./loadtest-validate.ts');
        return done(validateLoadtest(file, flags));
      }
      const { runLoadtest } = await import('./loadtest-run.ts');
      done(await runLoadtest(file, flags));
    });
};

export type { Flags as LoadtestFlags };

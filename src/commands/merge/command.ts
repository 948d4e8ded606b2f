import { type Command, Option } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { MergeFlags } from './flags.ts';

/** `speechfb merge DIR...`. */
export const registerMerge: RegisterCommand = (program: Command, done) => {
  program
    .command('merge')
    .description(
      'Joins the shards of one load test (loadtest --shard i/n) exactly, judges the whole and exits as a load test does.',
    )
    .argument('<dirs...>', 'the directories that loadtest --out wrote, one a shard')
    .option('--out <dir>', 'where to write the run directory of the whole')
    .option('--push-prometheus <url>', 'a Pushgateway that gets the metrics, http://host:9091')
    .option('--otlp <url>', 'an OTLP/HTTP receiver that gets the metrics, http://host:4318')
    .addOption(new Option('--json', 'one JSON document on stdout, the same as run.json'))
    .action(async (directories: string[], flags: MergeFlags) => {
      const { runMerge } = await import('./run.ts');
      done(await runMerge(directories, flags));
    });
};

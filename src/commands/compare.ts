import { type Command, Option } from 'commander';
import type { RegisterCommand } from './register.ts';

export type CompareFlags = { margin: string; json?: true };

/** `speechfb compare A B`. */
export const registerCompare: RegisterCommand = (program: Command, done) => {
  program
    .command('compare')
    .description('Says whether a load test got better, worse or neither against a baseline; exits 99 on a regression.')
    .argument('<baseline>', 'the run directory to compare with, or one of loadtest --runs')
    .argument('<candidate>', 'the run directory to judge')
    .option('--margin <margin>', 'what a latency may change by: a share of the baseline (5%) or a time (20ms)', '10%')
    .addOption(new Option('--json', 'one JSON document on stdout'))
    .action(async (baseline: string, candidate: string, flags: CompareFlags) => {
      const { runCompare } = await import('./compare-run.ts');
      done(await runCompare(baseline, candidate, flags));
    });
};

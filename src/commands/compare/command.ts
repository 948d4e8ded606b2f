import { type Command, Option } from 'commander';
import { paragraph } from '../help.ts';
import type { RegisterCommand } from '../register.ts';
import type { CompareFlags } from './flags.ts';

const exits =
  'Exits 99 when something got worse, 98 when a run proves nothing (its generator was late, or it was interrupted) or, ' +
  "with --strict, when an objective's metric is undecided; otherwise 0.";

/** `speechfb compare A B`. */
export const registerCompare: RegisterCommand = (program: Command, done) => {
  program
    .command('compare')
    .description('Says whether a load test got better or worse against a baseline, is the same, or undecided.')
    .argument('<baseline>', 'the directory that loadtest --out wrote before the change, also with --runs')
    .argument('<candidate>', 'the one that it wrote after the change')
    .option(
      '--margin <margin>',
      'what a latency may change by: a share of the baseline (5%, and always 5 ms) or a time (20ms)',
      '10%',
    )
    .option('--strict', 'exit 98 when the metric of an objective is undecided: the data do not rule a change out')
    .addOption(new Option('--json', 'one JSON document on stdout'))
    .addHelpText('after', paragraph(exits))
    .action(async (baseline: string, candidate: string, flags: CompareFlags) => {
      const { runCompare } = await import('./run.ts');
      done(await runCompare(baseline, candidate, flags));
    });
};

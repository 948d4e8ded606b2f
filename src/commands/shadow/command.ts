import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { ShadowReportFlags } from './run.ts';

/** `speechfb shadow report FILE`. */
export const registerShadow: RegisterCommand = (program: Command, done) => {
  program
    .command('shadow')
    .description('Compares what two backends wrote of the same sound.')
    .command('report')
    .description(
      'Wrong words, tasks done, latency and cost of a shadow beside what was served, or of a canary beside the rest, by learners.',
    )
    .argument('<file>', 'what serve --shadow-log writes')
    .option('--by <sides>', 'shadow (the same utterances twice) or variant (a canary beside the rest)', 'shadow')
    .option('--task-wer <share>', 'wrong words up to which a task counts as done', '10%')
    .option('--strict', 'exit 98 while anything is undecided')
    .option('--json', 'one JSON document on stdout')
    .exitOverride()
    .action(async (file: string, flags: ShadowReportFlags) => {
      const { runShadowReport } = await import('./run.ts');
      done(await runShadowReport(file, flags));
    });
};

import { type Command, Option } from 'commander';
import type { RegisterCommand } from '../register.ts';
import { type ReportFlags, reportFormats } from './flags.ts';

/** `speechfb report DIR`. */
export const registerReport: RegisterCommand = (program: Command, done) => {
  program
    .command('report')
    .description('Shows a load test again, judged anew from what it recorded; exits as the test did.')
    .argument('<dir>', 'the directory that loadtest --out or merge --out wrote, also with --runs')
    .addOption(new Option('--format <format>', 'how it is shown').choices(reportFormats).default('table'))
    .option('--metric <name>', 'the latency that hdrplot shows', 'feedback_latency')
    .action(async (directory: string, flags: ReportFlags) => {
      const { runReport } = await import('./run.ts');
      done(await runReport(directory, flags));
    });
};

import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { VerifyFlags } from './verify.ts';

/** `speechfb audit verify FILE`. */
export const registerAudit: RegisterCommand = (program: Command, done) => {
  program
    .command('audit')
    .description('Checks the log of what operators have changed.')
    .command('verify')
    .description('Says that an audit log is intact, or which line is not as it was written, and what was done to it.')
    .argument('<file>', 'what serve --audit-log writes')
    .option(
      '--head <head>',
      'the last entry that is known, as SEQ:HASH or what --json printed then: shows a cut-off end',
    )
    .option('--json', 'one JSON document on stdout')
    .exitOverride()
    .action(async (file: string, flags: VerifyFlags) => {
      const { runVerify } = await import('./verify.ts');
      done(await runVerify(file, flags));
    });
};

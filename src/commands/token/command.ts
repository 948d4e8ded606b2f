import type { RegisterCommand } from '../register.ts';
import type { TokenNewFlags } from './flags.ts';

/** `speechfb token`: API tokens for tenants of `serve --tenants`. */
export const registerToken: RegisterCommand = (program, done) => {
  const token = program.command('token').description('API tokens for the tenants of serve --tenants.');
  token
    .command('new')
    .description('Makes a token: shows it this once, and the line that the tenants file keeps of it.')
    .requiredOption('--tenant <name>', 'whose it is')
    .option('--user <name>', 'of whom of theirs; its sessions are counted under perUser')
    .option('--expires <time>', 'when it ends, as 2027-01-31T00:00:00Z; default never')
    .option('--json', 'one document on stdout')
    .action(async (flags: TokenNewFlags) => {
      const { runTokenNew } = await import('./run.ts');
      done(await runTokenNew(flags));
    });
};

import type { RegisterCommand } from '../register.ts';
import type { ExamplesFlags } from './flags.ts';

/** `speechfb examples`: what ships, and copies of it to begin with. */
export const registerExamples: RegisterCommand = (program, done) => {
  program
    .command('examples')
    .description('Lists the scenarios, budgets, plans and service levels that ship, and copies them.')
    .argument('[names...]', 'only these, such as quickstart; all without')
    .option('--copy <dir>', 'copy them there, with the recordings and schemas that they name')
    .option('--force', 'with --copy: write over files that differ')
    .option('--json', 'the list, or what was written, as one JSON document')
    .action(async (names: string[], flags: ExamplesFlags) => {
      const { runExamples } = await import('./run.ts');
      done(runExamples(names, flags));
    });
};

import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { SloFlags } from './flags.ts';

/** `speechfb slo check|rules|evaluate|explain FILE`; without a verb, check. */
export const registerSlo: RegisterCommand = (program: Command, done) => {
  const slo = program
    .command('slo')
    .description('Checks a service level, writes its Prometheus rules, and says where it stands.');
  const verb = (name: 'check' | 'rules' | 'evaluate' | 'explain', description: string) =>
    slo
      .command(name, { isDefault: name === 'check' })
      .description(description)
      .argument('<file>', 'YAML of kind ServiceLevel or OpenSLO v1, or the name of one that ships, as live-feedback')
      .option('--name <name>', 'which service level of a file that has several')
      .exitOverride()
      .action(async (file: string, flags: SloFlags) => {
        const { runSlo } = await import('./run.ts');
        done(await runSlo(name, file, flags));
      });
  const withMeasurements = (command: Command) =>
    command
      .option('--run <dir>', 'the directory of a load test')
      .option('--prometheus <url>', 'the root of a Prometheus, such as http://localhost:9090');

  verb('check', 'How fast each alert sees what, what it costs, and whether it can fire at all.').option(
    '--json',
    'one JSON document on stdout',
  );
  verb('rules', 'Prometheus recording rules and multiwindow burn-rate alerts.').option(
    '--out <file>',
    'write them there instead of to stdout',
  );
  withMeasurements(verb('evaluate', 'Burn over every window, budget left, time to exhaustion, what fires.')).option(
    '--json',
    'one JSON document on stdout',
  );
  withMeasurements(
    verb('explain', 'What an alert says when it fires; with measurements, where each objective stands.'),
  );
};

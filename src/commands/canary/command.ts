import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { CanaryFlags } from './flags.ts';

/** `speechfb canary plan|judge|simulate`. */
export const registerCanary: RegisterCommand = (program: Command, done) => {
  const canary = program
    .command('canary')
    .description('Plans a rollout, judges a canary against its baseline, and rehearses both.');
  const verb = (name: 'plan' | 'judge' | 'simulate', description: string, argument: string) =>
    canary
      .command(name)
      .description(description)
      .argument(argument, 'YAML of kind CanaryAnalysis, or the name of one that ships, as canary')
      .option('--name <name>', 'which analysis of a file that has several')
      .option('--mode <mode>', 'the reading of "burn above 2 for 10m": window or consecutive')
      .option('--json', 'one JSON document on stdout')
      .exitOverride()
      .action(async (file: string | undefined, flags: CanaryFlags) => {
        const { runCanary } = await import('./run.ts');
        done(await runCanary(name, file, flags));
      });

  verb('plan', 'False rollbacks, power, and the traffic and time a decision needs.', '[file]')
    .option('--target <percentage>', 'without a file: the promise, 99%')
    .option('--traffic <rate>', 'without a file: events of the canary, 60/min')
    .option('--burn <number>', 'without a file: roll back above this burn, 2')
    .option('--for <duration>', 'without a file: for so long, 10m')
    .option('--hold <duration>', 'without a file: how long the step lasts, 1h')
    .option('--detect <number>', 'without a file: the burn that must be found, 4');
  verb('judge', 'Promote, hold or roll back, with the reasons.', '<file>')
    .option('--baseline <dir>', 'the load test of the old version')
    .option('--canary <dir>', 'the load test of the new version')
    .option('--prometheus <url>', 'both versions, told apart by spec.versions')
    .option('--since <duration>', 'with --prometheus: how far back the step began', '30m')
    .option('--alone', 'the last step: no old version is left to compare with');
  verb('simulate', 'A whole rollout with a planted regression, look by look.', '<file>')
    .option('--regression <burn>', 'the burn of the new version', '0.5')
    .option('--slowdown <percentage>', 'how much slower it is', '0%')
    .option('--from <share>', 'the share of traffic from which it shows', '0%')
    .option('--seed <number>', 'another draw', '1');
};

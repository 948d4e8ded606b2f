import { type Command, Option } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { DeployFlags } from './flags.ts';

/** `speechfb deploy --capacity FILE --slo FILE`. */
export const registerDeploy: RegisterCommand = (program: Command, done) => {
  program
    .command('deploy')
    .description('Writes Kubernetes manifests or a Helm chart whose every number is measured, given or played.')
    .requiredOption('--capacity <file>', 'YAML of kind CapacityScenario: who comes, what a pod carries and costs')
    .requiredOption('--slo <file>', 'YAML of kind ServiceLevel: what is promised, and when to wake somebody')
    .option('--canary <file>', 'YAML of kind CanaryAnalysis: how a new version goes out')
    .option('--curve <file>', 'what loadtest --find-capacity measured on one pod: curve.json, or its folder')
    .option('--values <file>', 'YAML of kind DeployValues: image, host, regions, drains; default deploy/values.yaml')
    .option('--out <dir>', 'write the files there; without it nothing is written')
    .addOption(
      new Option('--format <format>', 'plain manifests, or a chart')
        .choices(['manifests', 'helm'])
        .default('manifests'),
    )
    .option('--explain', 'each number: why it is so, where it is from and where it stands')
    .option('--json', 'one JSON document on stdout')
    .action(async (flags: DeployFlags) => {
      const { runDeploy } = await import('./run.ts');
      done(runDeploy(flags));
    });
};

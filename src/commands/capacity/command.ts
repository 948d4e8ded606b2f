import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { CapacityFlags } from './flags.ts';

/** `speechfb capacity FILE`. */
export const registerCapacity: RegisterCommand = (program: Command, done) => {
  program
    .command('capacity')
    .description('Sizes and prices a live class, and plays its spike against autoscaling, limits and spot losses.')
    .argument('<file>', 'YAML of kind CapacityScenario, or the name of one that ships, as live-class')
    .option('--name <name>', 'which scenario of a file that has several')
    .option('--compare <file>', 'another scenario beside this one')
    .option('--sweep <key=values>', 'one field through many values: spike.factor=1..5, pod.startup=30s,60s,120s')
    .option('--seed <number>', 'another run of the simulation')
    .option('--chart <file>', 'write the timeline, or the sweep, as .svg or .png')
    .option('--json', 'one JSON document on stdout')
    .action(async (file: string, flags: CapacityFlags) => {
      const { runCapacity } = await import('./run.ts');
      done(await runCapacity(file, flags));
    });
};

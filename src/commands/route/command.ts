import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { RouteFlags } from './run.ts';

/** `speechfb route FILE`. */
export const registerRoute: RegisterCommand = (program: Command, done) => {
  program
    .command('route')
    .description(
      'Checks a routing policy, says which backend a session would come to and why, and prices a load played over it.',
    )
    .argument('<file>', 'YAML of kind RoutingPolicy, or the name of one that ships, as default')
    .option('--explain <question>', 'a session and a moment: "language=es load=0.9 deepgram=full"')
    .option('--simulate <file>', 'a capacity scenario whose load is played over the policy')
    .option('--languages <shares>', 'what learners of the load speak: "en=90% es=8% sw=2%"', 'en=100%')
    .option('--json', 'one JSON document on stdout')
    .action(async (file: string, flags: RouteFlags) => {
      const { runRoute } = await import('./run.ts');
      done(runRoute(file, flags));
    });
};

import type { Command } from 'commander';
import { flag, wholeNumber } from '../../flag.ts';
import { addKafkaOptions } from '../handoff/kafka.ts';
import type { RegisterCommand } from '../register.ts';
import type { DlqFlags, DlqListFlags, DlqReplayFlags } from './run.ts';

/** `speechfb dlq list|show|replay`: what workers have put aside. */
export const registerDlq: RegisterCommand = (program: Command, done) => {
  const dlq = program.command('dlq').description('Looks through what workers have put aside, and has it scored again.');
  const verb = (name: string, description: string): Command => {
    const command = dlq.command(name).description(description).exitOverride();
    addKafkaOptions(command);
    return command
      .option('--region <name>', 'the region whose topics are meant, as with serve')
      .option('--json', 'one JSON document on stdout');
  };
  const reasonFlag = ['--reason <text>', 'only those whose reason has this text'] as const;

  verb('list', 'What lies there, the oldest first, and why: no text, no sound.')
    .option(...reasonFlag)
    .option('--limit <number>', 'the newest at most, 100', flag('--limit', wholeNumber(1, 10_000)), 100)
    .option('--before <id>', 'those that are older than this one: the page before')
    .action(async (flags: DlqListFlags) => {
      const { runList } = await import('./run.ts');
      done(await runList(flags));
    });
  verb('show', 'The head of one: whose, of what model, until when its sound is kept.')
    .argument('<id>', 'as dlq list has it')
    .action(async (id: string, flags: DlqFlags) => {
      const { runShow } = await import('./run.ts');
      done(await runShow(id, flags));
    });
  verb('replay', 'Gives it back to the workers with its tries counted anew; no result is written twice.')
    .argument('[id]', 'as dlq list has it')
    .option('--all', 'all that were not replayed before')
    .option(...reasonFlag)
    .action(async (id: string | undefined, flags: DlqReplayFlags) => {
      const { runReplay } = await import('./run.ts');
      done(await runReplay(id, flags));
    });
};

import type { Command } from 'commander';
import { SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { parseDurationMs } from '../../units.ts';
import type { RegisterCommand } from '../register.ts';
import type { AdminVerbFlags, verbs } from './run.ts';

/** `speechfb admin VERB`: what operators ask of a running server. */
export const registerAdmin: RegisterCommand = (program: Command, done) => {
  const admin = program.command('admin').description('Looks into a running server, and drains it.');
  const verb = (name: keyof typeof verbs, description: string) =>
    admin
      .command(name)
      .description(description)
      .option('--url <url>', 'where serve --admin-listen is', 'http://127.0.0.1:8095')
      .requiredOption('--token-file <file>', 'the token: the last word of its first line')
      .option('--ca <file>', "a PEM authority, trusted beside the system's")
      .option('--json', 'one JSON document on stdout')
      .exitOverride()
      .action(async (...given: unknown[]) => {
        const { runAdmin } = await import('./run.ts');
        const flags = given.at(-2) as AdminVerbFlags;
        const words = given.slice(0, -2).filter((word) => word !== undefined) as string[];
        done(await runAdmin(name, { ...flags, words }));
      });

  verb('status', 'What it has open, what it carries, its nodes and gateways, and whether it drains.');
  verb('sessions', 'The sessions that are open, the oldest first, without anything of their learners.');
  verb('routing', 'Which backend writes transcripts, what each has and costs, and whether its breaker is open.')
    .argument('[set]', 'set: a policy takes effect, until the file or the flag has another')
    .argument('[file]', 'with set: the policy')
    .option('--policy', 'the policy itself, where it comes from, and how its canary does')
    .option('--reason <text>', 'with set: why, for the audit log');
  verb('tenants', 'What each tenant has open, and what it may have.')
    .argument('[tenant]', 'this one, with those of its users who have most open')
    .option('--reload', 'take up the file of the tenants now, and say what is different')
    .option('--reason <text>', 'with --reload: why, for the audit log');
  verb('limits', 'Every limit in force: its value, its range, what it is for and who has set it.')
    .option('--set <name=value>', 'set one while the server runs, none for no limit; may be repeated', collectLimit)
    .option('--reason <text>', 'with --set: why, for the audit log');
  verb('drain', 'Lets nobody new in, and has the server go away when it is empty or the deadline has passed.')
    .option('--reason <text>', 'why, for the audit log; asked for unless --show')
    .option('--deadline <duration>', 'how long those inside may stay; default 60s', flag('--deadline', parseDurationMs))
    .option('--cancel', 'take new sessions again, unless those inside have been told to go')
    .option('--show', 'change nothing: say how far it has gone')
    .option('--wait', 'come back when the server is gone');
  verb('audit', 'What operators have changed.')
    .option('--since <seq>', 'entries behind that one', flag('--since', wholeNumber(0, 1e15 - 1)))
    .option('--limit <number>', 'so many of them at most, 1000', flag('--limit', wholeNumber(1, 1000)));
};

/** One more limit and its value; null: none. What it may be is the server's to say. */
function collectLimit(text: string, before?: Record<string, number | null>): Record<string, number | null> {
  const { name = '', value = '' } = /^(?<name>[^=]*)=(?<value>.*)$/s.exec(text)?.groups ?? { name: text };
  const hint = 'as --set overload_delay_ms=150, or --set max_sessions_per_token=none';
  if (!/^(?:none|\d+(?:\.\d+)?(?:e\d+)?)$/i.test(value)) {
    throw new SpeechfbError('bad_flag', `--set: ${name || 'a limit'}: "${value}" is not a number`, { hint });
  }
  return { ...before, [name]: value.toLowerCase() === 'none' ? null : Number(value) };
}

import type { Command } from 'commander';
import type { RegisterCommand } from '../register.ts';
import type { ProbeFlags } from './flags.ts';

/** `speechfb probe URL --protocol P clip.wav --text "..."`. */
export const registerProbe: RegisterCommand = (program: Command, done) => {
  const several = (value: string, before: string[] = []) => [...before, value];
  program
    .command('probe')
    .description('Plays one recording to a server of any protocol and shows what each of its messages was taken for.')
    .argument('<url>', 'the server, ws://, wss://, grpc:// or grpcs://; ${env:NAME} in it is read from the environment')
    .argument('<file>', 'a WAV file; - is the standard input')
    .requiredOption('--text <text>', 'what is being read')
    .option(
      '--protocol <name>',
      'openai-realtime, deepgram, vosk, riva, ..., a .yaml of kind StreamProtocol, or a .mjs',
    )
    .option('--option <name=value>', 'an option of the protocol, as model=nova-3; may be repeated', several)
    .option('--language <tag>', 'of what is read', 'en-US')
    .option('--header <header>', 'what the upgrade carries, as "Authorization: Token ${env:KEY}"', several)
    .option('--auth <parameter>', 'a secret of the query, as "key=${env:KEY}"', several)
    .option('--token-file <file>', 'the bearer token: the last word of its first line')
    .option('--ca <file>', "a PEM authority, trusted beside the system's")
    .option('--insecure', 'trust any certificate')
    .option('--yes-load <host>', 'the host, if it is beyond loopback and private addresses: you may send to it')
    .option('--learn <file>', 'write a first mapping from what the server says; without --protocol it gets plain PCM')
    .option('--send-first <message>', 'without --protocol: a text before the sound; may be repeated', several)
    .option('--send-last <message>', 'without --protocol: a text behind the sound; may be repeated', several)
    .option('--sample-rate <rate>', 'without --protocol: of the sound, as 16kHz')
    .option('--ready-timeout <duration>', 'how long the server may take to be ready', '8s')
    .option('--final-timeout <duration>', 'how long it may say nothing behind the end of the sound', '5s')
    .option('--json', 'one JSON document, with every message as it came')
    .action(async (url: string, file: string, flags: ProbeFlags) => {
      const { runProbe } = await import('./run.ts');
      done(await runProbe(url, file, flags));
    });
};

import { type Command, Option } from 'commander';
import { transports } from '../../client/link/quic-way.ts';
import { lanes } from '../../protocol/client-messages.ts';
import type { RegisterCommand } from '../register.ts';
import type { StreamFlags } from './flags.ts';

/** `speechfb stream FILE --text "..."`. */
export const registerStream: RegisterCommand = (program: Command, done) => {
  program
    .command('stream')
    .description(
      'Plays a recording to a server in real time, as a phone would, and shows words and phones as they come.',
    )
    .argument('<file>', 'a WAV file; - is the standard input')
    .requiredOption('--text <text>', 'what is being read')
    .option(
      '--url <url>',
      'the server, ws:// or wss://; repeated: servers of one service, and a lost connection goes on at the next (default: "ws://127.0.0.1:8090/v1/stream")',
      (url: string, before: string[] = []) => [...before, url],
    )
    .addOption(
      new Option('--transport <name>', 'what carries it to a wss:// URL').choices(transports).default('websocket'),
    )
    .option('--tls-ca <file>', "PEM certificate authority, trusted beside the system's")
    .option('--token-file <file>', 'the bearer token: the last word of its first line')
    .option('--emit-interval <duration>', 'how often feedback is wanted', '100ms')
    .addOption(
      new Option('--lane <name>', 'batch: can wait, so that a busy server takes learners first')
        .choices(lanes)
        .default('live'),
    )
    .option('--cut-at <duration>', 'cut the socket once when this much has been spoken, to see it resume')
    .option('--ready-timeout <duration>', 'how long the server may take to be ready', '8s')
    .option('--answer-timeout <duration>', 'how long it may say nothing while sound is sent', '8s')
    .option('--final-timeout <duration>', 'how long its final may take after the end of the sound', '8s')
    .action(async (file: string, flags: StreamFlags) => {
      const { runStream } = await import('./run.ts');
      done(await runStream(file, flags));
    });
};

import { exitCodes } from '../../errors.ts';
import { shippedPath } from '../package.ts';
import type { RegisterCommand } from '../register.ts';
import type { ScoreFlags } from './flags.ts';

/** `speechfb score`: files or a manifest in, phone scores out. */
export const registerScore: RegisterCommand = (program, done) => {
  program
    .command('score')
    .description('Scores recordings of read speech, phone by phone.')
    .argument('[files...]', 'WAV files of any rate and channel count; - is the standard input')
    .option('--text <text>', 'what was read: once for all files, or once for each in their order', collect, [])
    .option('--phones <phones>', 'what was read, as ARPAbet: "HH AH L OW | W ER L D"', collect, [])
    .option('--manifest <file>', 'score every line {"id", "audio", "text" or "words"} of a JSON-lines file')
    .option('--out <file>', 'where the results of --manifest go, a JSON line each')
    .option('--features', 'with --manifest: write the features of each phone too')
    .option('--model <dir>', 'model package', shippedPath('models/en-learner'))
    .option('--device <device>', 'auto, cpu, cuda, webgpu or wasm', 'auto')
    .option('--nbest <n>', 'how many likely phones to name for each phone', '3')
    .option('--json', 'one JSON document instead of the table')
    .option('--timings', 'cost of each stage and the real-time factor once warm, on stderr')
    .action(async (files: string[], flags: ScoreFlags) => {
      const { runScore } = await import('./run.ts');
      const clean = await runScore(files, flags);
      done(clean ? exitCodes.pass : exitCodes.usage);
    });
};

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

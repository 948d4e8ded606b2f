import { type Command, Option } from 'commander';
import { flag, wholeNumber } from '../../flag.ts';
import { logLevels } from '../../telemetry/log-levels.ts';
import { giveWay } from '../../threads/give-way.ts';
import { parseDurationMs } from '../../units.ts';
import { addKafkaOptions } from '../handoff/kafka.ts';
import type { RegisterCommand } from '../register.ts';
import type { WorkerFlags } from './run.ts';

/** `speechfb worker`: scores what `serve --kafka` has handed over, until a signal. */
export const registerWorker: RegisterCommand = (program: Command, done) => {
  const command = program
    .command('worker')
    .description('Scores later what could not be finished live: what serve --kafka has handed over.')
    .option('--model <dir>', 'a model package; default the shipped en-learner')
    .option('--device <name>', 'auto, cpu, cuda, webgpu or wasm', 'auto')
    .requiredOption('--store <store>', 'the store of the gateways, as redis://host:port/0')
    .option('--region <name>', 'the region whose topics are worked on, as with serve')
    .option('--at-once <number>', 'utterances at once', flag('--at-once', wholeNumber(1, 256)), 4)
    .option('--tries <number>', 'tries at an utterance before it is put aside', flag('--tries', wholeNumber(1, 100)), 5)
    .option('--keep <duration>', 'how long results are kept', flag('--keep', parseDurationMs), 86_400_000)
    .option('--drain <duration>', 'how long a stop waits for what goes on', flag('--drain', parseDurationMs), 30_000)
    .option('--otlp <url>', 'send traces to this OTLP receiver, as http://127.0.0.1:4318; default: none')
    .addOption(
      new Option('--parent-fd <number>', 'a pipe to the load test that started this worker, which ends it')
        .argParser(flag('--parent-fd', wholeNumber(0, 1023)))
        .hideHelp(),
    )
    .addOption(
      new Option('--log-level <level>', 'on stderr; JSON unless it is a terminal').choices(logLevels).default('info'),
    );
  addKafkaOptions(command);
  command.action(async (flags: WorkerFlags) => {
    // First of all: a parent that dies meanwhile must not leave the worker behind.
    if (flags.parentFd !== undefined) {
      const { endWithParent } = await import('../../threads/end-with-parent.ts');
      endWithParent(flags.parentFd);
    }
    // Before the model is there: loading it takes a core for seconds, and all its threads inherit.
    giveWay(process.pid);
    const { runWorker } = await import('./run.ts');
    done(await runWorker(flags));
  });
};

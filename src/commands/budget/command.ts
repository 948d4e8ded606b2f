import { type Command, Option } from 'commander';
import { splitLabels } from '../../budget/traces/split-labels.ts';
import type { RegisterCommand } from '../register.ts';
import type { BudgetFlags } from './flags.ts';

/** `speechfb budget FILE`. */
export const registerBudget: RegisterCommand = (program: Command, done) => {
  program
    .command('budget')
    .description('Checks a latency budget, decomposes its percentile over the stages, and answers what-ifs.')
    .argument('<file>', 'YAML of kind LatencyBudget, or the name of one that ships, as mobile-500ms')
    .addOption(
      new Option('--traces <file>', 'trace records, one JSON object a line; .gz is unpacked').conflicts([
        'run',
        'otlp',
      ]),
    )
    .addOption(new Option('--run <dir>', 'the directory of a load test: its traces.ndjson.gz').conflicts('otlp'))
    .option('--otlp <file>', 'OpenTelemetry traces, JSON or protobuf as a Collector writes them')
    .option('--name <name>', 'which budget of a file that has several')
    .option('--what-if <change>', 'asr+100ms, asr-50ms, asr*1.5, asr<=200ms, -asr; may be repeated', collect, [])
    .addOption(new Option('--by <label>', 'split the traces').choices(splitLabels))
    .option('--seed <number>', 'another draw of the simulation and the bootstrap')
    .option('--assume-independent', 'take traces of one session as independent, as if each were a session of its own')
    .option('--chart <file>', 'write the waterfall as .svg or .png')
    .addOption(new Option('--markdown', 'Markdown on stdout, for the review').conflicts('json'))
    .option('--json', 'one JSON document on stdout')
    .action(async (file: string, flags: BudgetFlags) => {
      const { runBudget } = await import('./run.ts');
      done(await runBudget(file, flags));
    });
};

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

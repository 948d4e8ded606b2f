import { type Analysis, analyse, analyseArithmetic } from '../../budget/analyse.ts';
import { exemplarsNear } from '../../budget/exemplars.ts';
import type { Budget } from '../../budget/file/budget.ts';
import { parseWhatIf } from '../../budget/file/change-grammar.ts';
import { budgetOf, latencyBudget, renamedBudgetKeys } from '../../budget/file/schema.ts';
import { type BudgetReport, groupNotes, reportNotes, traceSessionNotes } from '../../budget/report.ts';
import { budgetSample } from '../../budget/sample/from-traces.ts';
import { simulateBudget } from '../../budget/sample/simulate.ts';
import { splitBy } from '../../budget/split.ts';
import { type ConfigDocument, parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { every, flag, wholeNumber } from '../../flag.ts';
import { printDocument, printJson } from '../output.ts';
import { shippedOr } from '../shipped.ts';
import type { BudgetFlags } from './flags.ts';
import { faultyTraces, type ReadTraces, readTraces } from './read-traces.ts';

/** Reads what the flags name, judges it, writes the report and returns the exit code. */
export async function runBudget(file: string, flags: BudgetFlags): Promise<ExitCode> {
  const document = chooseDocument(shippedOr('latency budget', file), flags.name);
  const budget = withFlags(budgetOf(document.value), flags);
  const traces = await readTraces(flags, budget);
  if (flags.by && !traces)
    throw new SpeechfbError('bad_flag', `--by ${flags.by} splits traces: give --traces, --run or --otlp`);
  const report = traces ? measuredReport(budget, traces, document, flags) : plannedReport(budget);
  await write(report, flags);
  return exitCodeOf(report.analysis);
}

function plannedReport(budget: Budget): BudgetReport {
  const sample = simulateBudget(budget);
  const analysis = sample ? analyse(budget, sample, 'predicted') : analyseArithmetic(budget);
  return { analysis, by: undefined, exemplars: [], notes: reportNotes(analysis) };
}

function measuredReport(budget: Budget, traces: ReadTraces, { at }: Document, flags: BudgetFlags): BudgetReport {
  const { by, assumeIndependent = false } = flags;
  const {
    sample: read,
    unclaimed,
    absent,
    notes,
  } = budgetSample(traces.table, budget, {
    ofTraceStage: traces.placeOf,
    ofBudgetStage: (index) => at(['spec', 'stages', index]),
  });
  if (traces.problems.count > 0) throw faultyTraces(traces, unclaimed);
  const problems = [...unclaimed, ...absent];
  if (problems.length > 0) {
    const message = `the stages of ${traces.file} and of the budget "${budget.name}" do not fit together`;
    throw new SpeechfbError('stages_differ', message, { problems });
  }
  const sample = assumeIndependent ? { ...read, clusters: undefined } : read;
  const analysis = analyse(budget, sample, 'measured', traces.doubt);
  return {
    analysis,
    by: by && { label: by, groups: splitBy(budget, sample, traces.table, { label: by, doubt: traces.doubt }) },
    exemplars: exemplarsNear(sample, traces.table, analysis.total!.valueMs, 3),
    notes: [
      ...traces.notes,
      ...notes,
      ...(by ? groupNotes(traces.table, by) : []),
      ...traceSessionNotes(traces.table, assumeIndependent),
      ...reportNotes(analysis),
    ],
  };
}

type Document = ConfigDocument<Parameters<typeof budgetOf>[0]>;

function chooseDocument(file: string, name: string | undefined): Document {
  const documents = parseDocuments(file, readText(file, 'budget'), 'LatencyBudget', latencyBudget, renamedBudgetKeys);
  const named = name === undefined ? documents : documents.filter((each) => each.name === name);
  if (named.length === 1) return named[0]!;
  const names = documents.map((each) => each.name).join(', ');
  const message = name === undefined ? `${file} has ${documents.length} budgets` : `${file} has no budget "${name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}

function withFlags(budget: Budget, { whatIf, seed }: BudgetFlags): Budget {
  const names = budget.stages.map(({ name }) => name);
  const asked = every(whatIf, whatIfOf(names));
  return { ...budget, seed: seed === undefined ? budget.seed : seedOf(seed), whatIf: [...budget.whatIf, ...asked] };
}

const seedOf = flag('--seed', wholeNumber(0, 0xffffffff));
const whatIfOf = (names: readonly string[]) => flag('--what-if', (text) => parseWhatIf(text, names));

async function write(report: BudgetReport, { json, markdown, chart }: BudgetFlags): Promise<void> {
  if (chart !== undefined) {
    const { writeChart } = await import('../write-chart.ts');
    const { waterfallSvg } = await import('../../report/budget/waterfall-svg.ts');
    await writeChart(chart, waterfallSvg(report.analysis));
  }
  if (json) printJson((await import('../../report/budget/waterfall-json.ts')).budgetJson(report));
  else if (markdown) printDocument((await import('../../report/budget/waterfall-markdown.ts')).budgetMarkdown(report));
  else {
    const [{ budgetText }, { printReport }] = await Promise.all([
      import('../../report/budget/waterfall-text.ts'),
      import('../terminal.ts'),
    ]);
    printReport(report, budgetText);
  }
}

/** Too few traces never pass, whatever the gate says of an interval that straddles the limit. */
function exitCodeOf({ verdict, total, budget, doubt }: Analysis): ExitCode {
  if (verdict === 'pass') return exitCodes.pass;
  if (verdict === 'fail') return exitCodes.missed;
  const { onInvalid, minSamples } = budget.gate;
  if (!total?.enough || doubt !== undefined || total.n < minSamples || onInvalid === 'invalid')
    return exitCodes.invalid;
  return onInvalid === 'fail' ? exitCodes.missed : exitCodes.pass;
}

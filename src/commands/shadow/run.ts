import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import { renderShadowReport, type ShadowReport } from '../../report/shadow/shadow-text.ts';
import { compareLearners, type ShadowFigure } from '../../shadow/compare.ts';
import { LearnerLedger } from '../../shadow/learners.ts';
import { readShadowLog } from '../../shadow/read-log.ts';
import { parsePercent } from '../../units.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';

export type ShadowReportFlags = { by: string; taskWer: string; strict?: true; json?: true };

/**
 * Reads a shadow log, compares its sides and shows it. Exit code 99 where something is worse, 98
 * where nothing can be said.
 */
export async function runShadowReport(file: string, flags: ShadowReportFlags): Promise<ExitCode> {
  const by = flag('--by', parseSides)(flags.by);
  const taskWer = flag('--task-wer', parseShareOfWords)(flags.taskWer);
  const ledger = new LearnerLedger({ by, taskWer });
  const { cutOffLine = null } = await readShadowLog(file, (record) => ledger.add(record));
  const compared = compareLearners(ledger.learners, by === 'shadow');
  const { baseline, candidate, canaries } = ledger.names;
  const report: ShadowReport = {
    file,
    by,
    names: { baseline: [...baseline].sort(), candidate: [...candidate].sort() },
    canaries: [...canaries].sort(),
    taskWer,
    cutOffLine,
    ...compared,
    verdict: verdictOf(compared.figures),
  };
  if (flags.json) printJson(snakeCased(report));
  else printReport(report, renderShadowReport);
  if (report.verdict === 'worse') return exitCodes.missed;
  const isOpen = report.verdict === 'undecided' && flags.strict === true;
  return report.verdict === 'invalid' || isOpen ? exitCodes.invalid : exitCodes.pass;
}

function verdictOf(figures: readonly ShadowFigure[]): ShadowReport['verdict'] {
  if (figures.length === 0) return 'invalid';
  if (figures.some(({ verdict }) => verdict === 'worse')) return 'worse';
  return figures.some(({ verdict }) => verdict === 'undecided') ? 'undecided' : 'pass';
}

function parseSides(text: string): 'shadow' | 'variant' {
  if (text === 'shadow' || text === 'variant') return text;
  throw new SpeechfbError('bad_flag', `"${text}" is not allowed; allowed: shadow, variant`);
}

function parseShareOfWords(text: string): number {
  const share = parsePercent(text);
  if (share >= 0 && share <= 1) return share;
  throw new SpeechfbError('bad_flag', `${text} is outside 0% to 100%`);
}

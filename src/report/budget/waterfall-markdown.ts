import type { BudgetReport } from '../../budget/report.ts';
import { tenthsMs } from '../../format.ts';
import { exactText, needsLine, sourceLine, titleOf, waterfallOf, withInterval } from './waterfall.ts';
import { exemplarLines } from './waterfall-details.ts';
import { afterReserveLines, brokenLines, describe, effectLine, leverCells, repayLine } from './waterfall-levers.ts';

/** A budget report as Markdown, for a design review. */
export function budgetMarkdown({ analysis, by, exemplars, notes }: BudgetReport): string {
  const { verdict, total, stages, whatIf } = analysis;
  const needs = [exactText(analysis), needsLine(analysis)].filter((line) => line !== '').join('; ');
  const waterfall = waterfallOf(analysis);
  const rows = waterfall.rows.map(({ name, budgetMs, ms, interval }, i) => [
    name,
    budgetMs === undefined ? '' : `${budgetMs} ms`,
    interval ? withInterval(ms, interval) : '',
    stages[i] ? tenthsMs(stages[i].p50Ms) : '',
    stages[i] ? tenthsMs(stages[i].p95Ms) : '',
    stages[i]?.verdict ?? '',
  ]);
  const sum = [
    '**total**',
    `${waterfall.objectiveMs} ms`,
    total ? tenthsMs(total.valueMs) : '',
    '',
    '',
    `**${verdict}**`,
  ];
  const sections = [
    `# ${titleOf(analysis)}`,
    `**${verdict}**: ${sourceLine(analysis)}${needs ? `; ${needs}` : ''}.`,
    table(['stage', 'budget', `share of p${waterfall.percentile}`, 'p50', 'p95', 'verdict'], [...rows, sum]),
    by &&
      table(
        [by.label, 'traces', 'p', 'verdict'],
        by.groups.map(({ value, analysis: one }) => [
          value,
          String(one.total?.n ?? 0),
          one.total ? withInterval(one.total.valueMs, one.total.interval) : '',
          one.verdict,
        ]),
      ),
    ...whatIf.flatMap((answer) => [
      `## What if ${describe(answer)}`,
      [effectLine(answer, analysis), ...brokenLines(answer, analysis)].join('. '),
      answer.levers.length > 0 ? repayLine(answer) : undefined,
      answer.levers.length > 0
        ? table(
            ['lever', 'alone', 'factor', 'saves'],
            [...answer.levers, ...(answer.together ? [answer.together] : [])].map(leverCells),
          )
        : undefined,
      afterReserveLines(answer)[0],
    ]),
    exemplarLines(exemplars)
      .map((line) => `- ${line}`)
      .join('\n'),
    notes.map((note) => `- ${note}`).join('\n'),
  ];
  return `${sections.filter((section) => section !== undefined && section !== '').join('\n\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

import type { BudgetReport } from '../../budget/report.ts';
import { tenthsMs } from '../../format.ts';
import { Markdown } from '../export/markdown-text.ts';
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
    md`**total**`,
    `${waterfall.objectiveMs} ms`,
    total ? tenthsMs(total.valueMs) : '',
    '',
    '',
    md`**${verdict}**`,
  ];
  const sections = [
    md`# ${titleOf(analysis)}`,
    md`**${verdict}**: ${sourceLine(analysis)}${needs ? `; ${needs}` : ''}.`,
    table(['stage', 'budget', `share of p${waterfall.percentile}`, 'p50', 'p95', 'verdict'], [...rows, sum]),
    ...(by ? [groupTable(by)] : []),
    ...whatIf.flatMap((answer) => [
      md`## What if ${describe(answer)}`,
      md`${[effectLine(answer, analysis), ...brokenLines(answer, analysis)].join('. ')}`,
      ...(answer.levers.length > 0
        ? [
            md`${repayLine(answer)}`,
            table(
              ['lever', 'alone', 'factor', 'saves'],
              [...answer.levers, ...(answer.together ? [answer.together] : [])].map(leverCells),
            ),
          ]
        : []),
      ...afterReserveLines(answer).map((line) => md`${line}`),
    ]),
    Markdown.list(exemplarLines(exemplars)),
    Markdown.list(notes),
  ];
  return `${Markdown.join(sections, '\n\n')}\n`;
}

const md = Markdown.of;

function groupTable({ label, groups }: NonNullable<BudgetReport['by']>): Markdown {
  return table(
    [label, 'traces', 'p', 'verdict'],
    groups.map(({ value, analysis: one }) => [
      value,
      String(one.total?.n ?? 0),
      one.total ? withInterval(one.total.valueMs, one.total.interval) : '',
      one.verdict,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | Markdown)[])[]): Markdown {
  return Markdown.table(head, rows, (_, column) => column === 0);
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { stripVTControlCharacters } from 'node:util';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { analyse, analyseArithmetic } from '../../../src/budget/analyse.ts';
import type { Budget } from '../../../src/budget/file/budget.ts';
import { type BudgetReport, reportNotes } from '../../../src/budget/report.ts';
import { sampleOf } from '../../../src/budget/sample/sample.ts';
import { budgetJson } from '../../../src/report/budget/waterfall-json.ts';
import { budgetMarkdown } from '../../../src/report/budget/waterfall-markdown.ts';
import { waterfallSvg } from '../../../src/report/budget/waterfall-svg.ts';
import { budgetText } from '../../../src/report/budget/waterfall-text.ts';
import { svgToPng, unpackWoff } from '../../../src/report/terminal/chart-png.ts';
import { alignColumns } from '../../../src/report/terminal/columns.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';

const plain = createPaint(false);
const budget: Budget = {
  name: 'tiny',
  measure: { from: 'here', to: 'there' },
  objective: { percentile: 95, op: 'lte', valueMs: 100 },
  interpretation: 'contribution',
  stages: [
    { name: 'network', budgetMs: 30, of: ['network'], distribution: undefined },
    { name: 'asr <fast>', budgetMs: 50, of: ['asr'], distribution: undefined },
  ],
  reserveMs: 20,
  unattributed: [],
  correlation: 0,
  gate: { confidence: 0.95, minSamples: 10, onInvalid: 'invalid', stages: 'report' },
  whatIf: [{ name: 'slower', changes: [{ stage: 'asr <fast>', kind: 'shift', byMs: 40 }] }],
  samples: 1000,
  replicates: 20,
  seed: 1,
};
const planned = reportOf(analyseArithmetic(budget));
const steady = (ms: number) => new Float64Array(100).fill(ms);
const sample = sampleOf(
  [
    { name: 'network', ms: steady(40) },
    { name: 'asr <fast>', ms: steady(45) },
  ],
  steady(5),
);
const measured = reportOf(analyse(budget, sample, 'measured'));

describe('the waterfall in a terminal', () => {
  it('of a plan shows the sum, what a change breaks and what repays it', () =>
    expect(budgetText(planned, plain)).toBe(`tiny: p95 <= 100 ms, here to there  pass
no traces and no declared distributions: only the sum is checked

stage       budget
network      30 ms  ████████████
asr <fast>   50 ms              ████████████████████
reserve      20 ms                                  ████████
sum         100 ms  ────────────────────────────────────────| 100 ms

what if slower: asr <fast>+40ms
the sum 140.0 ms, +40.0 ms: 40.0 ms over the objective of 100 ms
breaks asr <fast>: 90 ms of its 50 ms; the reserve of 20 ms takes all but 20.0 ms
to repay 40.0 ms and be at 100.0 ms again, scale one of
lever       alone   factor            saves
network     no              30.0 ms at most
asr <fast>  yes    x 0.556          40.0 ms
reserve     no              20.0 ms at most
all others  yes    x 0.200          40.0 ms
with the reserve spent, 20.0 ms are left: network x 0.333, or asr <fast> x 0.778
`));

  it('of traces shows shares that end at the percentile, and what is over its budget', () => {
    const lines = budgetText(measured, plain).split('\n');
    expect(lines.slice(0, 8)).toEqual([
      'tiny: p95 <= 100 ms, here to there  pass',
      'measured p95 90.0 ms [90.0, 90.0] at 95 %, from 100 traces',
      '',
      'stage         budget    share    interval      p50      p95  1 ms is',
      'network        30 ms  40.0 ms  40.0..40.0  40.0 ms  40.0 ms  1.00 ms  ████████████▓▓▓▓                                  fail',
      'asr <fast>     50 ms  45.0 ms  45.0..45.0  45.0 ms  45.0 ms  1.00 ms                  ██████████████████··              pass',
      'unattributed   20 ms   5.0 ms    5.0..5.0                                                               ██····',
      'p95           100 ms  90.0 ms                                         ────────────────────────────────────    | 100 ms',
    ]);
    expect(lines.at(-2)).toContain('note: ');
  });
});

it('a percentile that never came has no shares, no bars and no levers, and says so in every form', () => {
  const late = { ...sample, totals: sample.totals.map((total, i) => (i % 8 === 0 ? Infinity : total)) };
  const never = reportOf(analyse(budget, late, 'measured'));
  const text = budgetText(never, plain);
  expect(text).toContain('fail\nmeasured p95 never [.., ..] at 95 %, from 100 traces');
  expect(text).toContain('p95 is never: too many feedbacks did not come');
  expect(text).toContain('note: 13 of 100 feedbacks never came');
  for (const form of [text, budgetMarkdown(never), waterfallSvg(never.analysis)])
    expect(form).not.toMatch(/NaN|Infinity|█/);
  expect(budgetJson(never)).toMatchObject({
    verdict: 'fail',
    measured: { value_ms: null, never: 13 },
    unattributed_ms: null,
  });
});

it('Markdown has the same figures in tables', () => {
  const text = budgetMarkdown(measured);
  expect(text).toContain('# tiny: p95 <= 100 ms, here to there\n\n**pass**: measured p95 90.0 ms [90.0, 90.0] at 95 %');
  expect(text).toContain('| network | 30 ms | 40.0 ms [40.0, 40.0] | 40.0 ms | 40.0 ms | fail |');
  expect(text).toContain(
    '## What if slower: asr &lt;fast>+40ms\n\np95 130.0 ms [130.0, 130.0], +40.0 ms: 30.0 ms over the objective of 100 ms',
  );
  expect(text).toContain('| network | yes | x 0.250 | 30.0 ms |');
});

describe('JSON', () => {
  it('has the contract’s keys, and shares that sum to the percentile', () => {
    const json = JSON.parse(JSON.stringify(budgetJson(measured)));
    expect(json).toMatchObject({
      name: 'tiny',
      objective: { percentile: 95, value_ms: 100 },
      measured: { n: 100, value_ms: 90, ci_ms: [90, 90] },
      verdict: 'pass',
      stages: [
        {
          name: 'network',
          budget_ms: 30,
          p50_ms: 40,
          p95_ms: 40,
          contribution_ms: 40,
          ci_ms: [40, 40],
          verdict: 'fail',
        },
        { name: 'asr <fast>', verdict: 'pass' },
      ],
      unattributed_ms: 5,
      what_if: [
        {
          name: 'slower',
          value_ms: 130,
          delta_ms: 40,
          levers: [
            { stage: 'network', possible: true, factor: 0.25, saves_ms: 30 },
            { stage: 'asr <fast>', possible: true, saves_ms: 30 },
          ],
        },
      ],
    });
  });

  it('says null where there is no figure', () => {
    const json = JSON.parse(JSON.stringify(budgetJson(planned)));
    expect(json).toMatchObject({
      measured: null,
      unattributed_ms: null,
      stages: [{ contribution_ms: null, verdict: null }, {}],
    });
    expect(json.what_if[0].levers[0]).toEqual({ stage: 'network', possible: false, factor: null, saves_ms: 30 });
  });
});

describe('the waterfall in a narrow terminal', () => {
  it('has its figures in one table and its bars and verdicts below', () => {
    const text = budgetText(measured, plain, 80);
    expect(text).toMatch(/\nstage +budget +share +interval +p50 +p95 +1 ms is\nnetwork +30 ms +40\.0 ms/);
    expect(text).toMatch(/\nnetwork +█+▓+ +fail\n/);
    for (const line of text.split('\n').filter((each) => /[█─]/.test(each)))
      expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is one table where it fits', () => {
    const wide = budgetText(measured, plain, 160);
    expect(wide).toBe(budgetText(measured, plain));
    expect(wide).toMatch(/network +30 ms .*█.*fail/);
  });

  it('splits groups that do not fit', () => {
    const by = { label: 'profile' as const, groups: [{ value: '4g', analysis: measured.analysis }] };
    const text = budgetText({ ...measured, by }, plain, 60);
    expect(text).toMatch(
      /profile +traces +p95 +verdict\n4g +100 +90\.0 ms .*\n\nprofile +network +asr <fast> +unattributed\n4g/,
    );
  });
});

describe('the chart', () => {
  it.each([
    ['a plan', planned],
    ['traces', measured],
  ])('of %s is one SVG with a bar a row, names escaped', (_name, report) => {
    const svg = waterfallSvg(report.analysis);
    expect(svg.match(/<svg /g)).toHaveLength(1);
    expect(svg).toContain('asr &lt;fast&gt;');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.match(/<rect /g)!.length).toBeGreaterThanOrEqual(7);
  });

  it('has a bar for each what-if, red beyond the objective', () => {
    const svg = waterfallSvg(measured.analysis);
    expect(svg).toContain('>slower</text>');
    expect(svg).toContain('>130.0 ms, +40.0 ms</text>');
    const over = (text: string) => text.slice(text.indexOf('>what if<')).match(/fill="#c9483f"/g)?.length ?? 0;
    expect(over(svg)).toBe(1);
    const faster = {
      ...budget,
      whatIf: [{ name: 'faster', changes: [{ stage: 'network', kind: 'remove' as const }] }],
    };
    expect(over(waterfallSvg(analyse(faster, sample, 'measured')))).toBe(0);
  });

  it('says of a run that proves nothing only that', () => {
    const svg = waterfallSvg(analyse(budget, sample, 'measured', 'send lateness: p99 27 ms'));
    expect(svg).toContain('>invalid: the run proves nothing: send lateness: p99 27 ms</text>');
  });

  it('as PNG is twice the size and has its text drawn', async () => {
    const svg = waterfallSvg(measured.analysis);
    const png = Buffer.from(await svgToPng(svg));
    expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(2160);
    const blank = Buffer.from(await svgToPng(svg.replaceAll(/<text.*<\/text>/g, '')));
    expect(pixels(png).equals(pixels(blank))).toBe(false);
  });

  it('draws with a font unpacked from WOFF: the same tables, each where the directory says', () => {
    const name = '@fontsource/pt-mono/files/pt-mono-latin-400-normal.woff';
    const woff = readFileSync(createRequire(import.meta.url).resolve(name));
    const font = unpackWoff(woff);
    const count = font.readUInt16BE(4);
    expect(font.readUInt32BE(0)).toBe(0x00010000);
    expect(font.length).toBe(woff.readUInt32BE(16));
    const tags = Array.from({ length: count }, (_, i) => font.toString('latin1', 12 + 16 * i, 16 + 16 * i));
    expect(tags).toEqual(expect.arrayContaining(['cmap', 'glyf', 'head']));
    const head = 12 + 16 * tags.indexOf('head');
    expect(font.readUInt32BE(font.readUInt32BE(head + 8) + 12)).toBe(0x5f0f3cf5);
  });
});

it('columns align whatever colour their cells have', () => {
  const rows = [
    ['a', '1'],
    [createPaint(true).bad('long'), '22'],
  ];
  const lines = alignColumns(rows, '<>');
  expect(lines.map((line) => stripVTControlCharacters(line))).toEqual(['a      1', 'long  22']);
});

function reportOf(analysis: BudgetReport['analysis']): BudgetReport {
  return { analysis, by: undefined, exemplars: [], notes: reportNotes(analysis) };
}

/** The raw rows of a PNG whose image data is one stream. */
function pixels(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return inflateSync(Buffer.concat(parts));
}

import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { metrics } from '../../../src/metrics/definitions.ts';
import { junitXml } from '../../../src/report/export/junit.ts';
import { loadMarkdown } from '../../../src/report/export/markdown.ts';
import { writeRunDirectory } from '../../../src/report/export/run-directory.ts';
import { runJson } from '../../../src/report/export/run-json.ts';
import { progressLine } from '../../../src/report/load/progress.ts';
import { loadTable } from '../../../src/report/load/table.ts';
import { formatValue } from '../../../src/report/terminal/format-value.ts';
import { createPaint } from '../../../src/report/terminal/paint.ts';
import { progress } from '../../kit/progress-fixture.ts';
import { report } from '../../kit/report-fixture.ts';
import { distributionOf } from '../../kit/samples.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const plain = createPaint(false);

describe('the final table', () => {
  const text = loadTable(report, plain);

  it('begins with what was run and ends with the verdict, why and what to do', () => {
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toBe('quickstart: 20 learners against embedded for 25.3 s, seed 1, schedule 0123456789abcdef');
    expect(lines.slice(-5)).toEqual([
      'verdict: FAIL',
      'why: p95(feedback_latency) < 500ms: measured never; 300 of 4060 missed',
      'what to do: look at capture, the longest stage: 20.0 ms of a feedback on average',
      'what to do: look at the session errors: 3 x server_busy: no room',
      'what to do: loadtest --find-capacity searches the load that meets them',
    ]);
  });

  it.each([
    [
      'an objective with its value, bound, samples and misses',
      /p95\(feedback_latency\) < 500ms\s+│\s+never │\s+│\s+4060 │\s+300 │ fail: 300 of 4060 missed/,
    ],
    ['what is missing for a proof', /invalid: not proven; needs 12 more samples/],
    ['a latency with what never came', /feedback_latency\s+│\s+4060 │\s+300 │ 45\.0 ms │\s+never │\s+never │\s+never/],
    ['every stage', /uplink\s+│ 0\.20 ms │ 0\.18 ms/],
    ['that percentiles do not add', /Percentiles do not add/],
    ['the sessions', /20 attempted, 18 ended well, 1 refused, 1 died/],
    [
      'what was asked for and taken',
      /load {8}20 learners offered, 19 sessions admitted, 1 refusals; goodput 4\.6 utterances a second/,
    ],
    ['the frames', /20000 frames sent, 19990 acknowledged, 0 lost, 0 sent again, 0 dropped by the app/],
    [
      'how good the feedback was',
      /quality {5}95 % of 120 utterances met every objective; 9 % of 100 phones revised, none of 0 words taken back/,
    ],
    ['the sound that got feedback', /sound {7}5\.90 of 6\.00 minutes got feedback\n/],
    ['the condition that failed', /INVALID {5}send lateness: p99 12\.0 ms/],
    ['the session errors, most frequent first', /session errors\n {2}3 x server_busy: no room/],
  ])('shows %s', (_, pattern) => {
    expect(text).toMatch(pattern);
  });

  it.each([
    [160, /│ fail: 300 of 4060 missed +│/],
    [100, /^fail {2}p95\(feedback_latency\) < 500ms: 300 of 4060 missed$/m],
    [79, /^invalid {2}availability >= 99.9%: 100 %, proven 99.8.* at 95 %, 0 of 2983 missed: not proven;/m],
  ])('in %i columns says what an objective lacks', (columns, expected) => {
    expect(loadTable(report, plain, columns)).toMatch(expected);
  });

  it.each([100, 80, 60])('has no table wider than %i columns', (columns) => {
    const tables = loadTable(report, plain, columns)
      .split('\n')
      .filter((line) => /│|─|^(latency|feedback_latency|stage|capture|uplink) /.test(line));
    expect(tables.length).toBeGreaterThan(4);
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('leaves out latencies that nothing was measured of', () => {
    expect(text).not.toContain('resume_time');
  });

  it('has no escape codes unless colours are wanted, and says the same with them', () => {
    const esc = '\u001b';
    expect(text).not.toContain(esc);
    const coloured = loadTable(report, createPaint(true));
    expect(coloured).toContain(`${esc}[31mFAIL${esc}[39m`);
    expect(coloured.replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '')).toBe(text);
  });

  it('shows money, the warm-up and slices when there are any', () => {
    const cost = { serverDollarsPerHour: 1.2, servers: 3, dollars: 0.03, dollarsPerAudioMinute: 0.0051 };
    const { distributions, stages, shares, rates, counts, totals } = report;
    const measured = { distributions, stages, shares, rates, counts, totals };
    const slices = ['LTE', '3G'].map((profile) => ({ labels: { profile, language: 'en-US' }, ...measured }));
    const shown = loadTable({ ...report, cost, warmupMs: 5000, slices }, plain);
    expect(shown).toContain('minutes got feedback; $0.00510/min of it, $0.0300 for 3 servers at $1.20/h');
    expect(shown).toContain('warm-up     5.00 s; 40 samples that were due in it are left out');
    expect(shown).toMatch(/LTE, en-US\s+│\s+20 │\s+4060 │ 45\.0 ms │\s+never │\s+never │\s+95 %/);
    expect(loadMarkdown({ ...report, cost, slices })).toContain(
      '| 3G, en-US | 20 | 4060 | 45.0 ms | never | never | 95 % |',
    );
  });

  it('shows each backend that wrote transcripts, in as many columns as there are', () => {
    const finalLatency = report.distributions.feedback_latency!;
    const nothing = report.distributions.resume_time!;
    const counts = { sessions: 40, withoutPhones: 3, finals: 213, moved: 22, lost: 1 };
    const backends = [
      { name: 'deepgram', ...counts, finalLatency },
      { name: 'own | \u001b[31m', ...counts, finalLatency: nothing },
    ];
    const shown = loadTable({ ...report, backends }, plain, 100);
    expect(shown).toMatch(/│ transcripts by +│ sessions │ without phones │ finals │ +p50 │ +p95 │ moved │ lost │/);
    expect(shown).toMatch(/│ deepgram +│ +40 │ +3 │ +213 │ 45\.0 ms │ never │ +22 │ +1 │/);
    expect(shown).toMatch(/│ own \| .*│ +40 │ +3 │ +213 │ +│ +│ +22 │ +1 │/);
    const narrow = loadTable({ ...report, backends }, plain, 60).split('\n');
    for (const line of narrow.filter((one) => /transcripts by|deepgram/.test(one))) {
      expect(line.length).toBeLessThanOrEqual(60);
      expect(line).toMatch(/p95|never/);
    }
    expect(loadMarkdown({ ...report, backends })).toContain('| deepgram | 40 | 3 | 213 | 45.0 ms | never | 22 | 1 |');
    expect(loadMarkdown({ ...report, backends })).toContain('| own \\| ');
    expect(text).not.toContain('transcripts by');
    expect(runJson({ ...report, backends })).toMatchObject({
      backends: [{ name: 'deepgram', without_phones: 3, final_latency: { p50_ms: 45, p95_ms: null } }, {}],
    });
  });

  it('says that samples were taken as independent, and of a pass that the sessions alone do not prove it', () => {
    const clustered = { sessions: 20, designEffect: 6.54, effectiveSamples: 250, confidenceBound: 612, proven: false };
    const objectives = [{ ...report.objectives[0]!, verdict: 'pass', clustered } as const];
    const assumed = { ...report, objectives, assumeIndependent: true };
    const note = 'p95(feedback_latency) < 500ms: 612 ms, by 20 sessions (design effect 6.5)';
    expect(loadTable(assumed, plain)).toContain(`this is what the sessions alone prove:\n  ${note}\n`);
    expect(loadMarkdown(assumed)).toContain(`this is what the sessions alone prove:\n- ${note}\n`);
    expect(junitXml(assumed)).toContain('<property name="assume-independent" value="true"/>');
    expect(runJson(assumed)).toMatchObject({ assume_independent: true });
    expect(text).not.toContain('independent');
    expect(junitXml(report)).not.toContain('independent');
  });

  it('says when it was interrupted', () => {
    expect(loadTable({ ...report, interrupted: true }, plain)).toContain('INTERRUPTED; so far: FAIL');
  });
});

it.each([
  [87.44, 'ms', '87.4 ms'],
  [Number.POSITIVE_INFINITY, 'ms', 'never'],
  [0.99996, 'share', '99.996 %'],
  [0.999999, 'share', '99.999 %'],
  [1, 'share', '100 %'],
  [0.42568, 'share', '42.5 %'],
  [0.00123, 'share', '0.123 %'],
  [3, 'count', '3'],
  [0.0056789, 'usd_per_minute', '$0.00568/min'],
  [Number.POSITIVE_INFINITY, 'usd_per_minute', 'infinite'],
  [undefined, 'count', 'no data'],
] as const)('%s as %s reads %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});

it.each([
  [
    { samples: 1893, p50Ms: 61, p95Ms: 88.1, p99Ms: Number.POSITIVE_INFINITY, violations: 2 },
    '12.5 s of 25.0 s  20/20 learners  p50 61.0 ms  p95 88.1 ms  p99 never  of 1893  2 violations',
  ],
  [{ samples: 0, violations: 0 }, '12.5 s of 25.0 s  20/20 learners  no feedback yet'],
])('a progress line: %o', (change, line) => {
  const sessions = { planned: 20, arrived: 20, ended: 0, refused: 0, died: 0 };
  expect(progressLine({ ...progress, sessions, ...change }, 25_000)).toBe(line);
});

describe('run.json', () => {
  const json = JSON.parse(JSON.stringify(runJson(report)));

  it('has snake_case keys and null for what is infinite or absent', () => {
    expect(json).toMatchObject({
      kind: 'LoadReport',
      version: 4,
      verdict: 'fail',
      scenario: { plan_hash: '0123456789abcdef', frame_ms: 20 },
      distributions: { feedback_latency: { samples: 4060, never: 300, p50_ms: 45, p95_ms: null } },
      totals: { sessions_ok: 18 },
    });
    expect(json.objectives[0]).toMatchObject({ value: null, needs_more: null, verdict: 'fail' });
    expect(JSON.stringify(json)).not.toMatch(/"[a-z_]*[A-Z][A-Za-z]*":/);
  });

  it('is described key by key in docs/loadtest/run-directory.md', () => {
    const docs = ['run-directory', 'metrics'].map((page) => readFileSync(`docs/loadtest/${page}.md`, 'utf8')).join();
    const summary = Object.values(report.distributions)[0]!;
    const counts = { sessions: 1, withoutPhones: 0, finals: 1, moved: 0, lost: 0 };
    const backends = [{ name: 'own', ...counts, finalLatency: summary }];
    const missing = keysOf(JSON.parse(JSON.stringify(runJson({ ...report, backends })))).filter(
      (key) => !docs.includes(`\`${key}\``),
    );
    expect(missing).toEqual([]);
  });
});

it.each(Object.keys(metrics))('docs/loadtest/metrics.md describes the metric %s', (name) => {
  expect(readFileSync('docs/loadtest/metrics.md', 'utf8')).toContain(`| \`${name}\` | `);
});

describe('a run directory', () => {
  it('holds the report twice, the histograms and the traces', () => {
    const directory = join(temporaryDirectory(), 'deep', 'run');
    const histograms = [{ tag: 'feedback_latency', hdr: 'HISTFAAA', maxMs: 154.25 }];
    writeRunDirectory(directory, report, {
      histograms,
      feedbackLatency: distributionOf(45),
      traces: [{ at_ms: 1 }, { at_ms: 2 }],
      recording: Buffer.from('kept'),
    });
    expect(JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(runJson(report))),
    );
    expect(readFileSync(join(directory, 'summary.md'), 'utf8')).toBe(loadMarkdown(report));
    expect(readFileSync(join(directory, 'histograms.hlog'), 'utf8')).toContain(
      'Tag=feedback_latency,0.000,25.300,154.250,HISTFAAA\n',
    );
    expect(String(gunzipSync(readFileSync(join(directory, 'traces.ndjson.gz'))))).toBe('{"at_ms":1}\n{"at_ms":2}\n');
  });

  it('that cannot be written is an error that names it', () => {
    const file = join(temporaryDirectory(), 'a-file');
    writeFileSync(file, '');
    expect(() =>
      writeRunDirectory(file, report, {
        histograms: [],
        feedbackLatency: distributionOf(),
        traces: [],
        recording: Buffer.of(),
      }),
    ).toThrow(expect.objectContaining({ code: 'output_unwritable', message: expect.stringContaining(file) }));
    expect(existsSync(join(file, 'run.json'))).toBe(false);
  });
});

describe('a run directory on a disk that is full', () => {
  const details = { histograms: [], feedbackLatency: distributionOf(45), traces: [], recording: Buffer.from('kept') };

  it('keeps what could be written, names what is lost, and leaves no half of a file', () => {
    const directory = temporaryDirectory();
    symlinkSync('/dev/full', join(directory, 'junit.xml'));
    const problems = [
      { where: join(directory, 'junit.xml'), message: expect.stringContaining('is lost: the disk is full') },
    ];
    expect(() => writeRunDirectory(directory, report, details)).toThrow(expect.objectContaining({ problems }));
    expect(existsSync(join(directory, 'junit.xml'))).toBe(false);
    expect(existsSync(join(directory, 'run.json'))).toBe(true);
    expect(readFileSync(join(directory, 'recording.json.gz'), 'utf8')).toBe('kept');
  });

  it.runIf(existsSync('/proc/self'))('that cannot be made says so at once', () => {
    expect(() => writeRunDirectory('/proc/nowhere/run', report, details)).toThrow(
      expect.objectContaining({ code: 'output_unwritable' }),
    );
  });
});

it('the Markdown summary has a heading with the verdict and a row an objective', () => {
  const text = loadMarkdown(report);
  expect(text).toMatch(/^# quickstart: fail\n/);
  expect(text).toMatch(/\n\n\*\*verdict: fail\*\*\n- why: p95\(.*\n(- what to do: .*\n)+\n$/);
  expect(text).toContain('| `p95(feedback_latency) < 500ms` | never |  | 4060 | **fail**: 300 of 4060 missed |');
});

/** Every key of the document; names of metrics, stages and counts are values of a table elsewhere. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((inner) => keysOf(inner, path)))];
  if (typeof value !== 'object' || value === null) return [];
  const named = ['distributions', 'stages', 'shares', 'counts'].includes(path);
  const keys = Object.entries(value).flatMap(([key, inner]) => [...(named ? [] : [key]), ...keysOf(inner, key)]);
  return [...new Set(keys)];
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';
import { cardModel, drawTraces } from '../kit/gaussian.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const directory = temporaryDirectory();
const card = 'budgets/mobile-500ms.yaml';
const traces = write('traces.ndjson', linesOf(1000));
const output = captureOutput();
describe('speechfb budget', () => {
  it('without data checks the sum and answers what-ifs', async () => {
    expect(await main(['budget', card, '--what-if', 'asr+100ms', '--json'])).toBe(0);
    const answer = JSON.parse(output.stdout);
    expect(answer).toMatchObject({ source: 'arithmetic', measured: null, verdict: 'pass' });
    expect(answer.what_if[0]).toMatchObject({ name: 'asr+100ms', value_ms: 600, delta_ms: 100 });
  });

  it('predicts from declared distributions', async () => {
    expect(await main(['budget', 'budgets/before-launch.yaml', '--json'])).toBe(0);
    const { predicted, stages, unattributed_ms, what_if } = JSON.parse(output.stdout);
    const sum = stages.reduce(
      (all: number, stage: { contribution_ms: number }) => all + stage.contribution_ms,
      unattributed_ms,
    );
    expect(sum).toBeCloseTo(predicted.value_ms, 6);
    expect(what_if).toHaveLength(3);
  });

  it('is exact for stages declared normal: the worked case', async () => {
    const { stages } = cardModel(0);
    const shown = stages.map(
      ({ name, meanMs, sdMs }) =>
        `    - {name: ${name}, budget: 100ms, distribution: {mean: ${meanMs}ms, sd: ${sdMs}ms}}`,
    );
    const file = write(
      'normal.yaml',
      `kind: LatencyBudget\nspec:\n  objective: {percentile: 95, value: 600ms}\n  stages:\n${shown.join('\n')}\n`,
    );
    expect(await main(['budget', file, '--what-if', `asr*${270 / 170}`, '--what-if', 'asr<=200ms', '--json'])).toBe(0);
    const { predicted, what_if } = JSON.parse(output.stdout);
    expect(predicted.exact_ms).toBeCloseTo(425.7849, 4);
    expect(Math.abs(predicted.value_ms - 425.7849)).toBeLessThan(2);
    expect(what_if[0].exact_ms - predicted.exact_ms).toBeCloseTo(144.7177, 4);
    expect(what_if[1].exact_ms).toBeNull();
  });

  it.each([
    ['--traces, plain', () => ['--traces', traces]],
    ['--traces, packed', () => ['--traces', write('t.ndjson.gz', gzipSync(linesOf(1000)))]],
    ['--traces, packed under a plain name', () => ['--traces', write('t.ndjson', gzipSync(linesOf(1000)))]],
    ['--traces, plain under a packed name', () => ['--traces', write('plain.gz', linesOf(1000))]],
    ['--run, a directory', () => ['--run', run({ ok: true })]],
  ])('decomposes %s', async (_name, flags) => {
    expect(await main(['budget', card, ...flags(), '--what-if', 'asr-20ms', '--by', 'profile', '--json'])).toBe(0);
    const { measured, stages, unattributed_ms, verdict, what_if, by, exemplars } = JSON.parse(output.stdout);
    expect([measured.n, verdict]).toEqual([1000, 'pass']);
    const sum = stages.reduce(
      (all: number, stage: { contribution_ms: number }) => all + stage.contribution_ms,
      unattributed_ms,
    );
    expect(sum).toBeCloseTo(measured.value_ms, 6);
    expect(Math.abs(unattributed_ms - 2)).toBeLessThan(0.1);
    expect(what_if[0].delta_ms).toBeCloseTo(-20, 9);
    expect(by.groups.map(({ value }: { value: string }) => value).sort()).toEqual(['4g', 'wifi']);
    expect(exemplars).toHaveLength(3);
  });

  it('reads OTLP', async () => {
    const nanos = (ms: number) => String(1_700_000_000_000_000_000n + BigInt(Math.round(ms * 1e6)));
    const spans = Array.from({ length: 300 }, (_, i) => {
      const parts = [
        ['uplink', 50],
        ['queue', 10],
        ['features', 20],
        ['asr', 150 + i],
        ['scoring', 20],
      ] as const;
      let at = 0;
      const children = parts.map(([name, ms]) => {
        at += ms;
        return {
          traceId: `t${i}`,
          spanId: name,
          parentSpanId: 'root',
          name,
          startTimeUnixNano: nanos(at - ms),
          endTimeUnixNano: nanos(at),
        };
      });
      return [
        {
          traceId: `t${i}`,
          spanId: 'root',
          name: 'feedback',
          startTimeUnixNano: nanos(0),
          endTimeUnixNano: nanos(at + 5),
        },
        ...children,
      ];
    }).flat();
    const file = write('otlp.json', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
    expect(await main(['budget', card, '--otlp', file, '--json'])).toBe(99);
    const { measured, unattributed_ms, verdict } = JSON.parse(output.stdout);
    expect(measured).toMatchObject({ n: 300 });
    expect(measured.value_ms).toBeCloseTo(50 + 10 + 20 + 150 + 284 + 20 + 5, 3);
    expect(Math.abs(unattributed_ms - 5)).toBeLessThan(0.25);
    expect(verdict).toBe('fail');
  });

  it('writes charts as SVG and PNG, and Markdown', async () => {
    for (const name of ['chart.svg', 'chart.png']) {
      expect(await main(['budget', card, '--traces', traces, '--chart', join(directory, name), '--markdown'])).toBe(0);
    }
    expect(readFileSync(join(directory, 'chart.svg'), 'utf8')).toMatch(/^<svg /);
    expect(readFileSync(join(directory, 'chart.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(output.stdout).toMatch(/^# mobile-500ms: p95 <= 500 ms/);
  });

  it('judges nothing by a run whose load generator was late', async () => {
    expect(await main(['budget', card, '--run', run({ ok: false }), '--by', 'profile', '--json'])).toBe(98);
    const { verdict, doubt, stages, by } = JSON.parse(output.stdout);
    expect([verdict, doubt]).toEqual(['invalid', 'send lateness: p99 27 ms']);
    const all = [...stages, ...by.groups].map((one: { verdict: string }) => one.verdict);
    expect(new Set(all)).toEqual(new Set(['invalid']));
    output.stdout = '';
    await main(['budget', card, '--run', run({ ok: false })]);
    expect(output.stdout).toContain('the run proves nothing: send lateness: p99 27 ms');
    expect(output.stdout).toMatch(/from 1000 traces of 9 sessions, worth \d+ independent ones \(design effect \d/);
  });

  it('counts the feedback of a run that never came, by its profile', async () => {
    const slice = (labels: object, never: number) => ({
      labels,
      distributions: { feedback_latency: { samples: never, never } },
    });
    const distributions = { feedback_latency: { samples: 2080, never: 80 } };
    const slices = [
      slice({ profile: '4g', language: 'en' }, 60),
      slice({ profile: '4g' }, 60),
      slice({ profile: 'wifi', language: 'en' }, 20),
    ];
    const report = { kind: 'LoadReport', version: 2, elapsed_ms: 1, distributions, shares: {}, validity: [], slices };
    // The 1,000 traces are half of the feedback that came: half of what never came belongs to them.
    await main([
      'budget',
      card,
      '--run',
      run({ ok: true, report: JSON.stringify(report) }),
      '--by',
      'profile',
      '--json',
    ]);
    const { measured, by } = JSON.parse(output.stdout);
    expect(measured).toMatchObject({ n: 1040, never: 40 });
    const n = Object.fromEntries(by.groups.map((one: { value: string; n: number }) => [one.value, one.n]));
    expect(n).toEqual({ '4g': 530, wifi: 510 });
  });

  it('says when nothing tells whether a run may be trusted', async () => {
    const traces = run({ ok: true });
    rmSync(join(traces, 'run.json'));
    expect(await main(['budget', card, '--run', traces])).toBe(0);
    expect(output.stdout).toContain('beside the traces is no run.json');
  });

  it('shows the values of a label that have most traces, when there are hundreds', async () => {
    let count = 0;
    const many = linesOf(1000).replaceAll(/"profile":"\w+"/g, () => `"profile":"p${count++ % 400}"`);
    await main(['budget', card, '--traces', write('many.ndjson', many), '--by', 'profile', '--json']);
    const { by, notes } = JSON.parse(output.stdout);
    expect(by.groups).toHaveLength(50);
    expect(notes).toContain('350 more values of profile are not shown; these 50 have most traces');
  });

  it('exits 98 on too few traces, whatever the gate allows', async () => {
    const few = write('few.ndjson', linesOf(20));
    const lax = write(
      'lax.yaml',
      readFileSync(card, 'utf8').replace('minSamples: 200', 'minSamples: 200, onInvalid: warn'),
    );
    for (const file of [card, lax]) expect(await main(['budget', file, '--traces', few, '--json'])).toBe(98);
    expect(output.stdout).toContain('"more_traces_needed": 180');
  });

  it.each([
    ['invalid', 98],
    ['fail', 99],
    ['warn', 0],
  ])('a straddling interval with onInvalid %s exits %i', async (word, code) => {
    const limit = readFileSync(card, 'utf8').replace('minSamples: 200', `minSamples: 200, onInvalid: ${word}`);
    const file = write(
      'limit.yaml',
      limit.replace('value: 500ms', 'value: 430ms').replace('reserve: 80ms', 'reserve: 10ms'),
    );
    expect(await main(['budget', file, '--traces', traces])).toBe(code);
    expect(output.stdout).toContain('invalid');
  });
});

describe('speechfb budget refuses', () => {
  it('the old name of a key, and says the new one', async () => {
    const old = readFileSync(card, 'utf8').replace('minSamples: 200', 'minSamples: 200, onInconclusive: warn');
    expect(await main(['budget', write('old.yaml', old)])).toBe(2);
    expect(output.stderr).toContain('spec.gate.onInconclusive: is called "onInvalid" now');
  });

  it.each<[string, () => string[], RegExp]>([
    ['a missing file', () => ['nowhere.yaml'], /cannot read the budget "nowhere.yaml".*\[unreadable_file\]/],
    ['missing traces', () => [card, '--traces', 'nowhere'], /cannot read the traces "nowhere": there is no such file/],
    ['a directory as traces', () => [card, '--traces', directory], /it is a directory/],
    [
      'a run without traces',
      () => [card, '--run', 'budgets'],
      /"budgets" holds neither traces.ndjson.gz nor traces.ndjson/,
    ],
    ['a run that is a file', () => [card, '--run', card], /is not a directory/],
    ['empty traces', () => [card, '--traces', write('empty.ndjson', '')], /has no traces: it is empty/],
    [
      'packed traces that end early',
      () => [card, '--traces', write('cut.ndjson.gz', gzipSync(linesOf(500)).subarray(0, 9000))],
      /its gzip stream ends early/,
    ],
    [
      'negative and broken traces',
      () => [card, '--traces', write('bad.ndjson', '{"stages":{"asr":-1}}\n{')],
      /bad.ndjson has 2 faulty traces.*bad.ndjson:1:12: stages.asr: -1.*bad.ndjson:2:2: the file ends/s,
    ],
    [
      'stages that differ',
      () => [card, '--traces', write('odd.ndjson', '{"stages":{"asr":1,"uplnk":2}}')],
      /odd.ndjson:1:20: stages.uplnk: no stage.*mobile-500ms.yaml:16:7: stages.0: "network" sums/s,
    ],
    [
      'an OTLP file that is none',
      () => [card, '--otlp', write('odd.json', '{"a":\nx')],
      /odd.json has a faulty trace.*odd.json:1:1: not JSON/s,
    ],
    [
      'an OTLP file that ends early',
      () => [card, '--otlp', write('cut.jsonl', '{"resourceSpans":[]}\n{"resourceSpans":[{"scopeSp')],
      /cut.jsonl:2:28: not JSON, it ends too early/,
    ],
    [
      'a span that ends before it starts, at its place',
      () => [card, '--otlp', write('back.json', JSON.stringify(backwards, null, 1))],
      /back.json:10:18: resourceSpans\[0\].scopeSpans\[0\].spans\[0\] "asr" ends 1 ms before it starts/,
    ],
    [
      'a file of another tool, with what to do',
      () => [card, '--traces', write('otlp.jsonl', '{"resourceSpans":[]}\n'.repeat(50))],
      /otlp.jsonl has no trace records.*otlp.jsonl:3:1.*and 47 more.*hint: the file is OTLP JSON: read it with --otlp/s,
    ],
    [
      'faulty lines and names that differ, at once',
      () => [card, '--traces', write('both.ndjson', '{"stages":{"asr":-1}}\n{"stages":{"asr":1,"uplnk":2}}\n')],
      /both.ndjson:1:12: stages.asr: -1.*both.ndjson:2:20: stages.uplnk: no stage/s,
    ],
    [
      'two what-ifs',
      () => [card, '--what-if', 'asrr+5ms', '--what-if', 'asr+5'],
      /2 flags have problems.*"asrr".*"5" has no unit/s,
    ],
    [
      'a run whose report is broken',
      () => [card, '--run', run({ ok: true, report: '{' })],
      /run.json is not the report of a load test.*\[bad_run\]/s,
    ],
    ['an unknown stage in a what-if', () => [card, '--what-if', 'asrr+5ms'], /did you mean "asr"/],
    ['--by without traces', () => [card, '--by', 'device'], /--by device splits traces/],
    ['a chart of another kind', () => [card, '--chart', 'chart.gif'], /neither .svg nor .png/],
    ['a chart that cannot be written', () => [card, '--chart', '/nowhere/chart.svg'], /cannot write the chart/],
    ['a seed that is no number', () => [card, '--seed', '1.5'], /--seed: "1.5" is not a whole number/],
    [
      'two sources of traces',
      () => [card, '--traces', traces, '--run', directory],
      /--traces and --run do not go together/,
    ],
    ['a name that no budget has', () => [card, '--name', 'other'], /has no budget "other": mobile-500ms/],
  ])('%s', async (_name, args, message) => {
    expect(await main(['budget', ...args()])).toBe(2);
    expect(output.stderr).toMatch(message);
    expect(output.stdout).toBe('');
  });

  it('to choose between two budgets, until told', async () => {
    const text = readFileSync(card, 'utf8');
    const file = write('two.yaml', `${text}---\n${text.replace('name: mobile-500ms', 'name: desk')}`);
    expect(await main(['budget', file])).toBe(2);
    expect(output.stderr).toMatch(/has 2 budgets: mobile-500ms, desk.*--name/s);
    expect(await main(['budget', file, '--name', 'desk'])).toBe(0);
  });
});

const backwards = {
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [{ traceId: 't', name: 'asr', spanId: 's', startTimeUnixNano: '2000000', endTimeUnixNano: '1000000' }],
        },
      ],
    },
  ],
};

/** A load test's directory: the traces, and what of its report is read here. */
function run({ ok, report }: { ok: boolean; report?: string }): string {
  const validity = [{ check: 'send lateness', ok, detail: 'p99 27 ms' }];
  const document = { kind: 'LoadReport', version: 2, elapsed_ms: 1, distributions: {}, shares: {}, validity };
  write('run.json', report ?? JSON.stringify(document));
  return dirname(write('traces.ndjson.gz', gzipSync(linesOf(1000))));
}

function write(name: string, content: string | Uint8Array): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

/** The worked case's stages under the names of trace stages, 2 ms of each total unclaimed. */
function linesOf(n: number): string {
  const { stages, totals } = drawTraces(cardModel(0), n, 9);
  const names = ['downlink', 'ingress', 'features', 'asr', 'scoring', 'capture'];
  return Array.from({ length: n }, (_, i) => {
    const parts = Object.fromEntries(stages.map(({ ms }, s) => [names[s]!, Math.max(0, ms[i]!)]));
    const total = Math.max(...[totals[i]!, Object.values(parts).reduce((sum, ms) => sum + ms, 0)]) + 2;
    return `${JSON.stringify({ at_ms: i, session: `s${i % 9}`, profile: i % 2 ? '4g' : 'wifi', total_ms: total, stages: parts })}\n`;
  }).join('');
}

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun, readRunTraces } from '../../src/results/read-run.ts';
import { makeRun } from '../kit/run-kit.ts';

/** A run.json with no measurement but these. */
function ownReport(measured: object): string {
  const empty = { distributions: {}, validity: [], shares: {} };
  return JSON.stringify({ kind: 'LoadReport', version: 2, elapsed_ms: 1000, ...empty, ...measured });
}

describe('a run directory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await makeRun({ medianMs: 200, late: 0.02, never: 30 });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('gives back what was above a latency, what never came among it', async () => {
    const run = await readRun(directory);
    const traces = await readRunTraces(directory);
    const late = traces.filter((trace) => trace.total_ms > 500).length;
    expect(late).toBeGreaterThan(40);
    expect(run.above('feedback_latency', 500)).toEqual({ bad: late + 30, total: 4030 });
    expect(run.above('feedback_latency', 3_000_000)).toEqual({ bad: 30, total: 4030 });
    expect(run.above('first_partial', 500)).toBeUndefined();
    expect(run.never('feedback_latency')).toBe(30);
    expect(run.share('session_success')).toEqual({ bad: 1, total: 40 });
    expect(run.share('nothing')).toBeUndefined();
    expect(run.elapsedMs).toBe(10_000);
    expect(traces).toHaveLength(4000);
  });

  it('of version 2 is read too: slices by profile stay out, intervals of one tag are added up', async () => {
    const sliced = await makeRun({ medianMs: 200, late: 0.1, events: 50 });
    const whole = (await readRun(sliced)).above('feedback_latency', 500)!;
    const log = join(sliced, 'histograms.hlog');
    const line = readFileSync(log, 'utf8').match(/^Tag=feedback_latency,.*$/m)![0];
    appendFileSync(
      log,
      `${line}\n${line.replace('Tag=feedback_latency', 'Tag=feedback_latency;profile=4g;language=en')}\n`,
    );
    const report = JSON.parse(readFileSync(join(sliced, 'run.json'), 'utf8'));
    writeFileSync(join(sliced, 'run.json'), JSON.stringify({ ...report, version: 2, by_profile: [{ profile: '4g' }] }));
    const run = await readRun(sliced);
    expect(run.above('feedback_latency', 500)).toEqual({ bad: 2 * whole.bad, total: 2 * whole.total });
    expect(run.came('feedback_latency')).toBe(2000);
    rmSync(sliced, { recursive: true });
  });

  it('may name in its traces what never came', async () => {
    const made = await makeRun({ medianMs: 200, sessions: 1, events: 2 });
    appendFileSync(join(made, 'traces.ndjson.gz'), gzipSync('{"at_ms":1,"session":"a","total_ms":null}\n'));
    expect((await readRunTraces(made)).at(-1)).toEqual({ at_ms: 1, session: 'a', total_ms: Number.POSITIVE_INFINITY });
    rmSync(made, { recursive: true });
  });

  it.each([
    ['a report of a later version', 'run.json', '{"kind": "LoadReport", "version": 3}', /run.json is not the report/],
    ['a report of another kind', 'run.json', '{"kind": "Other"}', /run.json is not the report of a load test/],
    ['more than all that went well', 'run.json', ownReport({ shares: { x: { good: 3, total: 2 } } }), /not the report/],
    ['a count below 0', 'run.json', ownReport({ distributions: { x: { samples: -1, never: 0 } } }), /not the report/],
    ['no histogram in its log', 'histograms.hlog', 'Tag=x,0.0,1.0,9.0,HISTFAAAA\n', /hlog:1: x is not an HdrHistogram/],
    ['a truncated report', 'run.json', '{"kind": "Load', /run.json is not the report of a load test/],
  ])('with %s is refused', async (_, file, text, message) => {
    const broken = await makeRun({ medianMs: 200, sessions: 1, events: 1 });
    writeFileSync(join(broken, file), text);
    await expect(readRun(broken)).rejects.toThrow(message);
    rmSync(broken, { recursive: true });
  });

  it.each([
    ['NaN', '{"at_ms":1,"session":"a","total_ms":NaN}', /^is not JSON: .*NaN/],
    ['a negative latency', '{"at_ms":1,"session":"a","total_ms":-1}', /^total_ms: -1 is not a number, 0 or more$/],
    ['a time that is none', '{"at_ms":"1","session":"a","total_ms":1}', /^at_ms: "1" is not a number, 0 or more$/],
    ['no session', '{"at_ms":1,"total_ms":1}', /^session: is missing; write a name$/],
    ['half a line', '{"at_ms":1,"sess', /^is not JSON: /],
    ['a list', '[1]', /^\[1\] is not a JSON object$/],
  ])('with %s in its traces is refused at its line', async (_, line, message) => {
    const broken = await makeRun({ medianMs: 200, sessions: 1, events: 2 });
    appendFileSync(join(broken, 'traces.ndjson.gz'), gzipSync(`${line}\n`));
    await expect(readRunTraces(broken)).rejects.toMatchObject({
      code: 'bad_traces',
      problems: [{ where: expect.stringMatching(/traces\.ndjson\.gz:3:1$/), message: expect.stringMatching(message) }],
    });
    rmSync(broken, { recursive: true });
  });

  it('that is not there says what writes one', async () => {
    await expect(readRun('no-such-run')).rejects.toMatchObject({ code: 'unreadable_file', hint: /loadtest --out/ });
  });
});

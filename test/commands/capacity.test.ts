import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const liveClass = 'capacity/live-class.yaml';
const output = captureOutput();

const capacity = (...args: string[]) => main(['capacity', ...args]);

describe('speechfb capacity', () => {
  it("prints the card's figures, what they hide, the timeline and the verdict", async () => {
    expect(await capacity(edited((text) => text))).toBe(0);
    for (const figure of [
      '128,000,000 B/s',
      '8,000 mean',
      ' 67 ',
      ' 88',
      '$0.0200/min',
      '$0.000433/min',
      '$0.00630/min',
    ])
      expect(output.stdout).toContain(figure);
    expect(output.stdout).toContain('the linear rule sizes for the mean');
    expect(output.stdout).toMatch(/│─+░+█+/);
    expect(output.stdout).toContain('✓ costPerAudioMinute <= $0.015/min  (0.006303)');
    expect(Math.max(...output.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(output.stderr).toBe('');
  });

  it('keeps pods ready for the spike of the shipped class, and asserts that hardly anybody waits', async () => {
    expect(await capacity(liveClass)).toBe(0);
    expect(output.stdout).toMatch(/✓ degradedShare <= 1%/);
    expect(output.stdout).toMatch(/degraded +0 stream-minutes +0 % of speech/);
  });

  it('prints one JSON document and nothing else', async () => {
    expect(await capacity(liveClass, '--json')).toBe(0);
    expect(JSON.parse(output.stdout)).toMatchObject({ pods: { minimum: 67, with_headroom: 88 }, verdict: 'pass' });
  });

  it.each([
    ['2026-11-23', '2026-12-24', 'prices of 2026-11-23\n'],
    ['2025-11-23', '2026-11-23', 'prices of 2025-11-23, 365 days old: check them\n'],
  ])('dates the prices: %s seen on %s', async (day, today, expected) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(today) });
    await capacity(edited((text) => text.replace('pricesAsOf: 2026-11-23', `pricesAsOf: ${day}`)));
    vi.useRealTimers();
    expect(output.stdout).toContain(expected);
  });

  it('takes another seed', async () => {
    await capacity(liveClass, '--json', '--seed', '7');
    expect(JSON.parse(output.stdout).simulation.seed).toBe(7);
  });

  it('exits 99 when an assertion is missed, and says which', async () => {
    const file = edited((text) => text.replace('<= $0.015/min', '<= $0.005/min'));
    expect(await capacity(file)).toBe(99);
    expect(output.stdout).toContain('verdict: fail');
    expect(output.stdout).toContain('✗ costPerAudioMinute <= $0.005/min  (0.006303)');
  });

  it('reads the files that a scenario names, beside it', async () => {
    expect(await capacity('capacity/school-day.yaml', '--json')).toBe(0);
    const { details, simulation } = JSON.parse(output.stdout);
    expect(details.streams_per_pod.value).toBe(1000);
    expect(details.batch.workers).toBe(14);
    expect(details.batch_size.best.batch).toBe(64);
    expect(simulation.regions.map(({ name }: { name: string }) => name)).toEqual(['eu', 'us']);
    expect(simulation.pod_hours.spot).toBeGreaterThan(0);
  });

  it('compares two scenarios and marks the better', async () => {
    const file = edited((text) => text.replace('startup: 120s', 'startup: 20s').replace('live-class', 'quick-pods'));
    const slow = edited((text) => text);
    expect(await capacity(slow, '--compare', file)).toBe(0);
    expect(output.stdout).toMatch(/live-class +quick-pods/);
    expect(output.stdout).toMatch(/degraded share .*quick-pods is better/);
    output.stdout = '';
    await capacity(slow, '--compare', file, '--json');
    const { differences } = JSON.parse(output.stdout);
    expect(differences).toContainEqual(expect.objectContaining({ name: 'degraded_share', better: 'second' }));
    expect(differences).toContainEqual({ name: 'pods_minimum', first: 67, second: 67, better: null });
  });

  it('sweeps one field: a table, bars, and rows in JSON', async () => {
    expect(
      await capacity(
        edited((text) => text),
        '--sweep',
        'spike.factor=1..3',
      ),
    ).toBe(0);
    expect(output.stdout).toMatch(/^ {2}3 .* 254 .* pass$/m);
    expect(output.stdout).toMatch(/^ {2}3 +█{40} [\d,]+$/m);
    output.stdout = '';
    await capacity(liveClass, '--sweep', 'pod.streams=60,120', '--json');
    const { sweep, rows } = JSON.parse(output.stdout);
    expect(sweep).toEqual({ key: 'pod.streams', values: [60, 120] });
    expect(rows.map(({ pods }: { pods: { minimum: number } }) => pods.minimum)).toEqual([134, 67]);
  });

  it.each([
    ['the timeline', []],
    ['the sweep', ['--sweep', 'spike.factor=1,3']],
  ])('writes %s as SVG', async (_, flags) => {
    const file = join(temporaryDirectory(), 'chart.svg');
    expect(await capacity(liveClass, '--chart', file, ...flags)).toBe(0);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('bad input exits 2', () => {
  it.each([
    [['nowhere.yaml'], /cannot read the scenario "nowhere.yaml"/],
    [[liveClass, '--seed', 'x'], /--seed "x" is not a whole number/],
    [[liveClass, '--sweep', 'spike.factor'], /is not key=values/],
    [[liveClass, '--sweep', 'spik.factor=1..2'], /"spik.factor" is not a field.*did you mean/],
    [
      [liveClass, '--sweep', 'dutyCycle=90%..110%/10%'],
      /with dutyCycle=110%:\d+:\d+: spec.demand.dutyCycle: 110% is outside/,
    ],
    [[liveClass, '--sweep', 'spike.factor=1,2', '--compare', liveClass], /do not go together/],
    [[liveClass, '--name', 'other'], /has no scenario "other": live-class/],
    [['budgets/mobile-500ms.yaml'], /has no CapacityScenario; it has LatencyBudget mobile-500ms/],
  ])('%j', async (args, message) => {
    expect(await capacity(...args)).toBe(2);
    expect(output.stderr).toMatch(message);
    expect(output.stdout).toBe('');
  });

  it('names the point of a curve that lacks the percentile', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'curve.json'), '{"points": [{"streams": 5, "p95_ms": 1}, {"streams": 9, "p50_ms": 1}]}');
    const profile = 'profile: {curve: curve.json, slo: {value: 400ms}},';
    writeFileSync(join(dir, 'f.yaml'), readFileSync(liveClass, 'utf8').replace('streams: 120,', profile));
    expect(await capacity(join(dir, 'f.yaml'))).toBe(2);
    expect(output.stderr).toContain('curve.json:1:42: points.1: has no p95_ms; it has p50_ms');
  });

  it('reads the curve of the directory that a load test wrote', async () => {
    const dir = temporaryDirectory();
    const points = [
      { streams: 90, p95_ms: 120, valid: true },
      { streams: 130, p95_ms: null, valid: true },
    ];
    writeFileSync(join(dir, 'curve.json'), JSON.stringify({ kind: 'CapacityCurve', version: 1, points }));
    const profile = `profile: {curve: ${dir}, slo: {value: 400ms}},`;
    expect(await capacity(edited((text) => text.replace('streams: 120,', profile)))).toBe(0);
    expect(output.stdout).toContain('90 streams each, by the measured curve');
    expect(output.stdout.replace(/\s+/g, ' ')).toContain(
      'the next measured load, 130, leaves more unanswered than the percentile may',
    );
  });

  it.each([
    [
      'that is not there',
      undefined,
      /cannot read the measured curve ".*curve.json": there is no such file.*\n {2}hint: .*--find-capacity --out DIR/,
    ],
    ['that is empty', '', /curve.json:1:1: is empty\n/],
    ['without points', '{"points": []}', /curve.json:1:12: points: is empty: a curve without points measures nothing/],
    [
      'of another kind',
      '{"kind": "CapacitySearch", "points": []}',
      /:1:10: kind: "CapacitySearch" is not allowed; allowed: CapacityCurve/,
    ],
    ['of a later version', '{"version": 2, "points": []}', /:1:13: version: 2 is not allowed; allowed: 1/],
    ['cut off', '{"points": [{"streams": 5,', /curve.json:1:27: /],
  ])('refuses a curve %s', async (_, content, message) => {
    const dir = temporaryDirectory();
    const curve = join(dir, 'curve.json');
    if (content !== undefined) writeFileSync(curve, content);
    const profile = `profile: {curve: ${curve}, slo: {value: 400ms}},`;
    expect(await capacity(edited((text) => text.replace('streams: 120,', profile)))).toBe(2);
    expect(output.stderr).toMatch(message);
    expect(output.stdout).toBe('');
  });

  it('asks which scenario of several', async () => {
    const both = (text: string) => `${text}---\n${text.replace('live-class', 'second')}`;
    expect(await capacity(edited(both))).toBe(2);
    expect(output.stderr).toContain('has 2 scenarios: live-class, second');
    expect(await capacity(edited(both), '--name', 'second', '--json')).toBe(0);
  });
});

/** The shipped class before pods were kept ready for its spike, changed. */
function edited(edit: (text: string) => string): string {
  const file = join(temporaryDirectory(), 'scenario.yaml');
  const shipped = readFileSync(liveClass, 'utf8');
  writeFileSync(file, edit(shipped.replace(/ {2}scaling:.*\n/, '').replace(/ {4}degradedShare:.*\n/, '')));
  return file;
}

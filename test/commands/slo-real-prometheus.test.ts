import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const present = spawnSync('prometheus', ['--version']).status === 0;
if (!present)
  console.warn('SKIPPED: prometheus is not installed (Debian: prometheus); nothing was asked of a real one');

const folder = temporaryDirectory();
let prometheus: ChildProcess | undefined;
let url: string;

/**
 * Two hours of a service that answers 400 events a second, of which 0.2 % are late, and of a canary that answers 20 a
 * second, of which 5 % are late: 1,200 utterances of 30 events in half an hour.
 */
function openMetrics(nowSeconds: number): string {
  const lines = ['# TYPE speechfb_feedback_seconds histogram'];
  const arms = [
    { track: 'stable', perSecond: 400, good: 0.998 },
    { track: 'canary', perSecond: 20, good: 0.95 },
  ];
  for (const { track, perSecond, good } of arms) {
    const labels = `track="${track}",type="phoneme_feedback"`;
    for (let seconds = 0; seconds <= 7200; seconds += 15) {
      const at = nowSeconds - 7200 + seconds;
      const events = seconds * perSecond;
      lines.push(`speechfb_feedback_seconds_bucket{${labels},le="0.1"} ${events * good} ${at}`);
      lines.push(`speechfb_feedback_seconds_bucket{${labels},le="+Inf"} ${events} ${at}`);
      lines.push(`speechfb_feedback_seconds_count{${labels}} ${events} ${at}`);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

describe.skipIf(!present)('a real Prometheus', () => {
  beforeAll(async () => {
    writeFileSync(join(folder, 'metrics.txt'), openMetrics(Math.floor(Date.now() / 1000)));
    writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
    const made = spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', 'metrics.txt', 'data'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(made.status, made.stderr).toBe(0);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const flags = [
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.path=data',
      '--config.file=prometheus.yml',
    ];
    prometheus = spawn('prometheus', flags, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((ready, failed) => {
      let said = '';
      prometheus!.stderr!.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Server is ready')) ready();
      });
      prometheus!.once('exit', () => failed(new Error(said)));
    });
  });
  afterAll(async () => {
    if (prometheus && prometheus.exitCode === null) {
      const ended = once(prometheus, 'exit');
      prometheus.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('says where the objectives stand', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [bin, 'slo', 'evaluate', 'slo/live-feedback.yaml', '--prometheus', url, '--json'],
      { encoding: 'utf8' },
    );
    expect(status, stderr).toBe(98);
    const [latency, sessions] = JSON.parse(stdout).objectives;
    expect(latency).toMatchObject({ name: 'feedback-latency', verdict: 'pass', firing: [] });
    const hour = latency.windows.find((window: { window_ms: number }) => window.window_ms === 3_600_000);
    // .2 % of 400 and 5 % of 20 a second, of 420: .43 % against the 1 % that is promised.
    expect(hour.burn).toBeCloseTo(0.43, 1);
    expect(hour.total).toBeGreaterThan(70_000);
    expect(sessions).toMatchObject({ name: 'session-success', verdict: 'invalid' });
  });

  it('shows a canary that is worse than what runs beside it', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [bin, 'canary', 'judge', 'slo/canary.yaml', '--prometheus', url, '--json'],
      { encoding: 'utf8' },
    );
    expect(status, stdout + stderr).toBe(99);
    const { decision, reasons } = JSON.parse(stdout);
    expect(decision).toBe('rollback');
    expect(reasons).toContainEqual(expect.objectContaining({ check: 'burn', decision: 'rollback' }));
    expect(reasons).toContainEqual(expect.objectContaining({ check: 'sequential', decision: 'rollback' }));
  });
});

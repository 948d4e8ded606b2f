import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bin, runProgram } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { tinyFolder } from '../kit/tiny-model.ts';

const directory = temporaryDirectory();
const tiny = ['serve', '--model', tinyFolder, '--device', 'cpu'];

describe('speechfb serve --calibrate', () => {
  const file = join(directory, 'curve.json');

  it('measures what the device carries and writes the curve', async () => {
    const { code, stdout, stderr } = await runProgram([...tiny, '--calibrate', file, '--calibrate-for', '6s']);
    const curve = JSON.parse(readFileSync(file, 'utf8'));
    const held = curve.points.filter((point: { valid: boolean; p95_ms: number | null }) => point.valid);
    // A machine that is busy with other tests may be too late with the sound of each load that is tried.
    expect(code).toBe(held.length === 0 ? 98 : curve.device.streams > 0 ? 0 : 99);
    expect(stdout).toContain('tiny 1 on cpu: how long a run takes, by streams and steps of each');
    expect(stderr).toContain(`results are in ${file}`);
    expect(curve).toMatchObject({ kind: 'CapacityCurve', version: 1, device: { name: 'cpu', deadline_ms: 100 } });
    expect(curve.points.length).toBeGreaterThan(0);
    expect(curve.steps.every(({ ms }: { ms: number }) => ms > 0)).toBe(true);
    expect(curve.steps.map(({ batch }: { batch: number }) => batch)).toContain(curve.device.max_batch);
  });

  it('writes over no file unless it is told to', async () => {
    const kept = join(directory, 'kept.json');
    writeFileSync(kept, 'kept');
    const { code, stderr } = await runProgram([...tiny, '--calibrate', kept]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/kept\.json is there already \[would_overwrite\]/)]);
    expect(readFileSync(kept, 'utf8')).toBe('kept');
  });

  it('ends when it is interrupted, and says so', async () => {
    const other = join(directory, 'interrupted.json');
    const flags = [...tiny, '--calibrate', other, '--calibrate-for', '60s', '--json'];
    const { code, stdout } = await runProgram(flags, { when: 'live stream', signal: 'SIGINT' });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'CapacityCurve', points: [] });
    expect(existsSync(other)).toBe(false);
  });

  it.each([
    [
      'less time than a load takes',
      ['--calibrate', '--calibrate-for', '1s'],
      /--calibrate-for: 1s is not allowed; allowed: 5s to 10m/,
    ],
    ['a curve', ['--calibrate', '--curve', 'x'], /--calibrate makes a curve and takes no --curve/],
    ['the role of a gateway', ['--calibrate', '--role', 'gateway'], /a gateway runs none/],
    ['a device that is none', ['--calibrate', join(directory, 'a.json'), '--device', 'tpu'], /\[bad_device\]/],
    ['a model that is not there', ['--calibrate', join(directory, 'a.json'), '--model', 'none'], /\[model_not_found\]/],
  ])('refuses %s', async (_, flags, sentence) => {
    const { code, stderr } = await runProgram(['serve', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
  });

  it.each(['--json', '--force', '--calibrate-for=9s'])('takes %s only with it', async (flag) => {
    const { code, stderr } = await runProgram(['serve', flag]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/goes with --calibrate \[bad_flag\]/)]);
  });
});

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

describe('speechfb serve --curve', () => {
  it.each([
    [30, 30],
    [100_000, availableParallelism() * 75],
  ])('of a device that carries %i streams begins with %i sessions', async (streams, sessions) => {
    const { url } = await startWith(curveOf({ streams }));
    const metrics = await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
    expect(metrics).toContain(`\nspeechfb_session_limit ${sessions}\n`);
  });

  it('begins with the sessions that --limit says', async () => {
    const { url } = await startWith(curveOf({ streams: 30 }), ['--limit', 'initial_sessions=44']);
    const metrics = await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
    expect(metrics).toContain('\nspeechfb_session_limit 44\n');
  });

  it('of another device is said to mean nothing', async () => {
    const { stderr } = await startWith(curveOf({ name: 'cuda' }));
    expect(stderr()).toContain('the curve is of another device and says nothing of this one');
  });

  it('of another model is refused', async () => {
    const { code, stderr } = await runProgram([...tiny, '--curve', curveOf({ model: 'en-learner 1.2.0' })]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/was measured with en-learner 1\.2\.0; this server runs tiny 1 \[bad_flag\]/),
    ]);
  });

  it('that is not there is refused', async () => {
    const { code, stderr } = await runProgram([...tiny, '--curve', join(directory, 'nowhere.json')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cannot read the measured curve .*\[unreadable_file\]/)]);
  });
});

let curves = 0;

function curveOf(device: object): string {
  const file = join(directory, `given-${curves++}.json`);
  const measured = { name: 'cpu', model: 'tiny 1', max_batch: 8, group_steps: 2, streams: 40, ...device };
  writeFileSync(file, JSON.stringify({ kind: 'CapacityCurve', version: 1, device: measured, points: [] }));
  return file;
}

async function startWith(curve: string, flags: readonly string[] = []) {
  const child = spawn(process.execPath, [bin, ...tiny, '--port', '0', '--curve', curve, ...flags]);
  started.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  for await (const chunk of child.stdout) {
    const url = /ready at (ws:\S+)/.exec(String(chunk))?.[1];
    if (url) return { url, stderr: () => stderr };
  }
  await once(child, 'close');
  throw new Error(`the server ended before it was ready: ${stderr}`);
}

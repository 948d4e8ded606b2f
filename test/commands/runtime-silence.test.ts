import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bin } from '../kit/program.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

it('has native ONNX Runtime leave no number of the machine behind, and tell nobody that it was run', () => {
  const home = join(temporaryDirectory(), 'home');
  mkdirSync(home);
  const { ORT_DISABLE_TELEMETRY: _, ...inherited } = process.env;
  const env = { ...inherited, HOME: home, XDG_CACHE_HOME: join(home, '.cache'), XDG_DATA_HOME: join(home, '.data') };
  const text = 'The conference will begin when the leader arrives.';
  const args = ['score', 'fixtures/audio/leader.wav', '--text', text, '--device', 'cpu', '--timings'];
  const { status, stderr } = spawnSync(process.execPath, [bin, ...args], { env, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain('on cpu');
  expect(stderr).not.toMatch(/telemetry/i);
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});

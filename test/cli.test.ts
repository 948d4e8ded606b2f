import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const bin = resolve(root, 'bin/speechfb');
const run = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8' });

describe('the command line', () => {
  it('says its version and lists its verbs', () => {
    expect(execFileSync(process.execPath, [bin, '--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = run('--help');
    expect(help.status).toBe(0);
    for (const verb of ['score', 'serve', 'stream', 'loadtest', 'budget', 'capacity'])
      expect(help.stdout).toContain(`  ${verb} `);
  });

  it.each([
    [['sore'], /^speechfb: unknown command 'sore' \[bad_usage\]\n/, /\n {2}hint: did you mean score\?\n$/],
    [
      ['score', '--txt', 'a'],
      /^speechfb: unknown option '--txt' \[bad_usage\]\n/,
      /\n {2}hint: did you mean --text\?\n$/,
    ],
    [['stream', 'a.wav'], /^speechfb: --text <text> is missing, which this needs \[bad_usage\]\n$/, /./],
    [['serve', '--port'], /^speechfb: --port needs a value: --port <number> \[bad_usage\]\n$/, /./],
    [
      ['serve', '--log-level', 'loud'],
      /^speechfb: --log-level: "loud" is not allowed; allowed: debug, info.* \[bad_flag\]\n$/,
      /./,
    ],
    [['--nope'], /^speechfb: unknown option '--nope' \[bad_usage\]\n$/, /./],
  ])('%j exits 2 and says what is meant', (args, message, hint) => {
    const result = run(...args);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(hint);
    expect(result.stdout).toBe('');
  });

  it('keeps its verdict when the reader of a pipe leaves early', async () => {
    const child = spawn(process.execPath, [bin, 'capacity', 'capacity/live-class.yaml', '--json'], { cwd: root });
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  it.runIf(existsSync('/dev/full'))('says when results could not be written, and exits 2 instead of 0', () => {
    const full = openSync('/dev/full', 'w');
    const args = [bin, 'capacity', resolve(root, 'capacity/live-class.yaml')];
    const result = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    expect(result.stderr).toBe('speechfb: not all of stdout could be written: the disk is full [output_unwritable]\n');
    expect(result.status).toBe(2);
  });

  it('without a verb shows the help on stderr and exits 2', () => {
    const result = run();
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('Usage: speechfb');
  });
});

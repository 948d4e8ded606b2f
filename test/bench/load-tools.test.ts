import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { tools } from '../../bench/load/tools.ts';

const work = { sessions: 1, seconds: 1, rampSeconds: 1 };
const scripts = tools('k6', 'artillery').flatMap((tool) =>
  tool
    .command('ws://127.0.0.1:1', work)
    .args.filter((arg) => arg.endsWith('.mjs'))
    .map((file) => [tool.name, file]),
);

it('runs two scripts over the ws library', () => expect(scripts).toHaveLength(2));

it.each(scripts)('runs %s by a script whose ws is ours, whatever the peers install', (_, file) => {
  expect(existsSync(file!)).toBe(true);
  expect(packageOf(dirname(file!))).toBe(resolve('.'));
});

function packageOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageOf(dirname(folder));
}

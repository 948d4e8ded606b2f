/**
 * Tries the laws of test/fuzz for long, each for its share of the time: npm run fuzz -- [--minutes 60 | --seconds 60] [--seed N]
 *
 * Without --seed it takes another one at each run, and says which. What it finds is told with the seed and the path
 * that find it again.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { minutes: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = flags.seconds === undefined ? Number(flags.minutes ?? 60) : Number(flags.seconds) / 60;
const seed = Number(flags.seed ?? Date.now() % 0x7fffffff);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('npm run fuzz -- [--minutes 60 | --seconds 60] [--seed N]: times above 0, and a whole number');
  process.exit(2);
}

const folder = 'test/fuzz';
const laws = readdirSync(folder)
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .flatMap((text) => text.match(/^(?:fuzz|reads)\(/gm) ?? []).length;
console.log(`${laws} laws for ${Number((minutes / laws).toPrecision(2))} minutes each, seed ${seed}`);
const { status } = spawnSync('npx', ['vitest', 'run', '--maxWorkers=1', folder], {
  stdio: 'inherit',
  env: { ...process.env, SPEECHFB_FUZZ_MINUTES: String(minutes / laws), SPEECHFB_FUZZ_SEED: String(seed) },
});
process.exit(status ?? 1);

/**
 * Changes the code of a room in small ways (mutants), runs the room's own tests against each, and says how many
 * they noticed: npm run mutation -- ROOM... [--with TESTS] [--force] [--ignore-static]
 *
 * ROOM is a path below src/ (`slo`, `slo/canary`, `server/session/jitter-buffer`), with lines behind a file's name
 * (`slo/objective/judging:1-80`) if these alone are to change, or a name of the table below. Its tests are those at
 * the same path below test/; a file without tests of its own name has those of its folder. TESTS is a further path
 * below test/, for what others test too. What neither a changed line nor a changed test file can have altered since
 * the last run is not run again, unless it is forced. Static mutants, in code that runs once at import, need every
 * test of the room; a first look may leave them out. docs/testing.md says how to read what comes out.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/** Ideas that live in several files. */
const named: Record<string, readonly string[]> = {
  'jitter-buffer': ['server/session/jitter-buffer'],
  dedupe: ['server/session/seq-ranges', 'server/session/intake'],
  resume: ['server/session/event-log', 'server/session/outbox', 'server/gateway/registry', 'client/outbox'],
};

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    with: { type: 'string', multiple: true },
    force: { type: 'boolean' },
    'ignore-static': { type: 'boolean' },
  },
});
const rooms = names.flatMap((name) => named[name] ?? [name]);
const unknown = rooms.find((room) => sourceOf(room) === undefined);
if (rooms.length === 0 || unknown !== undefined) {
  console.error(
    `${unknown === undefined ? 'Of which room' : `There is no src/${unknown}`}? ` +
      `npm run mutation -- ROOM, a path below src/ or one of ${Object.keys(named).join(', ')}`,
  );
  process.exit(2);
}

process.env.MUTATION_TESTS = [...rooms, ...(flags.with ?? [])].flatMap(testsOf).join(',');
const out = `run/mutation/${names.join('+').replaceAll(/[/:]/g, '-')}`;
const results = await new Stryker({
  mutate: rooms.flatMap((room) => sourceOf(room) ?? []),
  incrementalFile: `${out}.incremental.json`,
  htmlReporter: { fileName: `${out}.html` },
  force: flags.force ?? false,
  ignoreStatic: flags['ignore-static'] ?? false,
}).runMutationTest();
process.stdout.write(`${tableOf(results)}\n`);

function sourceOf(room: string): string | undefined {
  const [path = '', lines] = room.split(':');
  if (existsSync(`src/${path}.ts`)) return lines === undefined ? `src/${path}.ts` : `src/${path}.ts:${lines}`;
  return lines === undefined && existsSync(`src/${path}`) ? `src/${path}/**/*.ts` : undefined;
}

function testsOf(room: string): string[] {
  const [path = ''] = room.split(':');
  if (existsSync(`test/${path}`)) return [`test/${path}/**/*.test.ts`];
  const folder = `test/${dirname(path)}`;
  const isOwn = (file: string) => file === `${basename(path)}.test.ts` || file.startsWith(`${basename(path)}-`);
  const own = (existsSync(folder) ? readdirSync(folder) : []).filter(isOwn);
  return own.length > 0 ? own.map((file) => `${folder}/${file}`) : [`${folder}/**/*.test.ts`];
}

/** A row a file: mutants, those that a test noticed (a time-out is noticed), and the share. */
function tableOf(mutants: readonly { fileName: string; status: string }[]): string {
  const rows = new Map<string, { all: number; killed: number }>();
  for (const { fileName, status } of mutants) {
    if (status === 'Ignored' || status === 'CompileError' || status === 'RuntimeError') continue;
    for (const key of [fileName.replace(/^.*\/src\//, ''), 'all']) {
      const row = rows.get(key) ?? { all: 0, killed: 0 };
      row.all++;
      if (status === 'Killed' || status === 'Timeout') row.killed++;
      rows.set(key, row);
    }
  }
  const lines = [...rows].sort(([a], [b]) => (a === 'all' ? 1 : b === 'all' ? -1 : a.localeCompare(b)));
  return lines
    .map(
      ([file, { all, killed }]) => `${file.padEnd(44)} ${all} mutants, ${((100 * killed) / all).toFixed(1)} % killed`,
    )
    .join('\n');
}

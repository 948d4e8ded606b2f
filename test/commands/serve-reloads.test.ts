import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { AuditLog } from '../../src/audit/log.ts';
import { Reloads } from '../../src/commands/serve/reloads.ts';
import type { ServeSettings } from '../../src/commands/serve/settings.ts';
import { followTenants, tenantsOf } from '../../src/commands/serve/tenants.ts';
import { SpeechfbError } from '../../src/errors.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { apiToken } from '../kit/server/tenants.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const { entry } = await apiToken('0123456789a0');
const textOf = (...names: string[]) =>
  JSON.stringify({ kind: 'Tenants', spec: { tenants: names.map((name) => ({ name, tokens: [] })) } });

it('a changed file of the tenants is written down before it takes effect, once, without a secret', async () => {
  const audit = await AuditLog.open(join(temporaryDirectory(), 'audit.jsonl'));
  onTestFinished(() => audit.close());
  const { names, file, write, registry } = following(audit);
  const withToken = { name: 'b', limits: { maxSessions: 3 }, tokens: [entry] };
  write(JSON.stringify({ kind: 'Tenants', spec: { tenants: [withToken, { name: 'c', tokens: [] }] } }));
  expect(names()).toEqual(['a', 'b']);
  await expect.poll(names).toEqual(['b', 'c']);
  const [first, ...others] = await audit.entries(0, 9);
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    actor: 'file',
    action: 'tenants.reload',
    target: 'all',
    diff: { added: ['c'], removed: ['a'], changed_tenants: ['b'] },
    reason: `${file} has changed`,
  });
  expect(JSON.stringify(first)).not.toContain('scrypt');

  // An operator has taken it up, and is in the log.
  registry.reload(textOf('d'));
  write(textOf('d'));
  // A file that cannot be used changes nothing.
  write('kind: Tenants');
  write(textOf('e'));
  await expect.poll(names).toEqual(['e']);
  expect(await audit.entries(1, 9)).toMatchObject([{ diff: { added: ['e'], removed: ['d'] } }]);
});

it('what cannot be written down does not take effect, and is tried again', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let isFull = true;
  const { names, write, said } = following({
    append: async () => {
      if (isFull) throw new SpeechfbError('audit_unwritable', 'the disk is full');
      return undefined as never;
    },
  });
  write(textOf('c'));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(names()).toEqual(['a', 'b']);
  expect(said.join('')).toMatch(/the disk is full.*the changed tenants' file cannot be used: the old stays/);
  isFull = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(names()).toEqual(['c']);
});

/** A registry of the tenants a and b that follows its file, whose changes are audited. */
function following(audit: ConstructorParameters<typeof Reloads>[1]) {
  const file = join(temporaryDirectory(), 'tenants.yaml');
  const text = textOf('a', 'b');
  writeFileSync(file, text);
  const said: string[] = [];
  const log = createLog('info', { write: (line: string) => said.push(line) });
  const settings = { tenants: { path: file, text }, role: { role: 'all' } } as ServeSettings;
  const registry = tenantsOf(settings, log)!;
  const reloads = new Reloads(log, audit);
  onTestFinished(() => reloads.close());
  followTenants(registry, settings, reloads);
  const write = (next: string): void => {
    writeFileSync(file, next);
    reloads.now();
  };
  return { file, said, registry, write, names: () => registry.tenants.map(({ name }) => name) };
}

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { type AuditFields, genesis, nextEntry, readEntry } from '../../src/audit/entry.ts';
import { AuditLog } from '../../src/audit/log.ts';
import { parseAuditHead, verifyAudit } from '../../src/audit/verify.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const fields = (n: number): AuditFields => ({
  actor: 'anna',
  action: 'drain.start',
  target: `gateway ${n}`,
  diff: { draining: [false, true] },
  reason: `reason ${n}`,
});

async function logOf(count: number): Promise<string> {
  const file = join(temporaryDirectory(), 'audit.jsonl');
  const log = await AuditLog.open(file);
  for (let n = 1; n <= count; n += 1) await log.append(fields(n));
  await log.close();
  return file;
}

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const write = (file: string, lines: readonly string[]) =>
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));

function renamed(file: string): string {
  renameSync(file, `${file}.1`);
  return `${file}.1`;
}

/** An entry edited by somebody who knows how hashes are made. */
function resealed(line: string): string {
  const { seq, prev, at, ...rest } = JSON.parse(line);
  return nextEntry({ ...rest, reason: 'another' }, { seq: seq - 1, hash: prev }, new Date(at)).line;
}

describe('an audit log', () => {
  it('has one entry a line, each with the hash of the one before', async () => {
    const file = await logOf(3);
    const entries = linesOf(file).map((line) => JSON.parse(line));
    expect(entries.map(({ seq, prev }) => [seq, prev])).toEqual([
      [1, genesis.hash],
      [2, entries[0].hash],
      [3, entries[1].hash],
    ]);
    const { hash, ...rest } = entries[0];
    expect(rest).toMatchObject(fields(1));
    const unsealed = linesOf(file)[0]!.replace(`"hash":"${hash}",`, '');
    expect(createHash('sha256').update(unsealed).digest('hex')).toBe(hash);
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 3, broken: undefined, torn: undefined });
  });

  it('is taken up where it ended', async () => {
    const file = await logOf(2);
    const log = await AuditLog.open(file);
    await log.append(fields(3));
    expect(log.head.seq).toBe(3);
    expect((await log.entries(1, 10)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect((await log.entries(0, 2)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await log.entries(3, 10)).toEqual([]);
    await log.close();
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 3, broken: undefined });
  });

  it('keeps the order of entries that are written at once', async () => {
    const file = await logOf(0);
    const log = await AuditLog.open(file);
    await Promise.all(Array.from({ length: 50 }, (_, n) => log.append(fields(n))));
    await log.close();
    expect(linesOf(file).map((line) => JSON.parse(line).target)).toEqual(
      Array.from({ length: 50 }, (_, n) => `gateway ${n}`),
    );
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 50, broken: undefined });
  });

  it('says anything that JSON can, shows nothing hidden, and reads it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (reason, diff) => {
        const { line, entry } = nextEntry({ ...fields(1), reason, diff }, genesis, new Date(0));
        expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(readEntry(line)).toEqual(entry);
      }),
      { seed: 7 },
    );
  });

  it('spells a value in one way', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: '\u202e' })).toBe('{"a":"\\u202e","b":[{"c":null,"d":1}]}');
  });
});

describe('verify', () => {
  it.each<[string, (lines: string[]) => string[], number, string, RegExp]>([
    ['a word changed', (l) => l.with(2, l[2]!.replace('reason 3', 'reason X')), 3, 'edited', /hash is not that of/],
    ['a blank added', (l) => l.with(2, l[2]!.replace(',', ', ')), 3, 'edited', /not spelled as it was written/],
    ['a key given twice', (l) => l.with(1, l[1]!.replace('{', '{"actor":"eve",')), 2, 'edited', /not spelled/],
    ['a key more', (l) => l.with(1, l[1]!.replace('{', '{"aa":1,')), 2, 'edited', /no entry of an audit log/],
    ['a line that is no JSON', (l) => l.with(0, 'hello'), 1, 'edited', /no JSON/],
    ['an empty line', (l) => l.toSpliced(3, 0, ''), 4, 'edited', /no JSON/],
    ['an edit with a new hash', (l) => l.with(2, resealed(l[2]!)), 4, 'edited', /does not follow the line before/],
    ['the first deleted', (l) => l.slice(1), 1, 'deleted', /entry 1 was deleted before entry 2/],
    ['two deleted', (l) => l.toSpliced(1, 2), 2, 'deleted', /entries 2 to 3 were deleted before entry 4/],
    ['two exchanged', (l) => l.with(1, l[2]!).with(2, l[1]!), 2, 'reordered', /entry 2 is not here but on line 3/],
    ['one moved to the end', (l) => [...l.toSpliced(1, 1), l[1]!], 2, 'reordered', /but on line 5/],
    ['one repeated', (l) => [...l, l[1]!], 6, 'reordered', /entry 2 stands behind entry 5/],
    ['carriage returns', (l) => l.map((line) => `${line}\r`), 1, 'edited', /not spelled/],
  ])('finds %s', async (_, change, line, damage, message) => {
    const file = await logOf(5);
    write(file, change(linesOf(file)));
    const { broken, entries } = await verifyAudit(file);
    expect(broken).toMatchObject({ line, damage, message: expect.stringMatching(message) });
    expect(entries).toBe(line - 1);
    await expect(AuditLog.open(file)).rejects.toMatchObject({ code: 'audit_broken' });
  });

  it('finds any one byte that was changed', async () => {
    const file = await logOf(3);
    const bytes = readFileSync(file);
    const changed = fc.tuple(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(changed, async ([at, by]) => {
        const other = Buffer.from(bytes);
        other[at] = (other[at]! + by) % 256;
        writeFileSync(file, other);
        const { broken } = await verifyAudit(file);
        expect(broken).toBeDefined();
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it('needs a head that was kept to see that the end is gone, or that all was written anew', async () => {
    const file = await logOf(4);
    const { head } = await verifyAudit(file);
    const lines = linesOf(file);
    await expect(verifyAudit(file, head)).resolves.toMatchObject({ broken: undefined });
    write(file, lines.slice(0, 2));
    await expect(verifyAudit(file)).resolves.toMatchObject({ broken: undefined });
    await expect(verifyAudit(file, head)).resolves.toMatchObject({
      broken: { line: 3, damage: 'truncated', message: expect.stringMatching(/ends with entry 2.*names entry 4/) },
    });
    const other = await logOf(6);
    await expect(verifyAudit(other, head)).resolves.toMatchObject({ broken: { line: 4, damage: 'edited' } });
  });

  it.each(['', '4', '0:aa', `1:${'A'.repeat(64)}`])('takes no head like "%s"', (text) => {
    expect(() => parseAuditHead(text)).toThrow(/is not SEQ:HASH/);
  });

  it('tells an unfinished last line from tampering, and the next start cuts it off and says so', async () => {
    const file = await logOf(2);
    const whole = readFileSync(file);
    appendFileSync(file, '{"action":"drain.st');
    await expect(verifyAudit(file)).resolves.toMatchObject({
      entries: 2,
      broken: undefined,
      torn: { line: 3, bytes: 19 },
    });
    const log = await AuditLog.open(file);
    expect(log.healed).toEqual({ line: 3, bytes: 19 });
    await log.append(fields(3));
    await log.close();
    expect(readFileSync(file).subarray(0, whole.length)).toEqual(whole);
    expect(JSON.parse(linesOf(file)[2]!)).toMatchObject({ actor: 'speechfb', action: 'audit.heal', target: 'line 3' });
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 4, broken: undefined, torn: undefined });
  });

  it('reads lines that no memory should hold, and bytes that are no text', async () => {
    const file = await logOf(1);
    appendFileSync(file, Buffer.concat([Buffer.alloc(3_000_000, 'a'), Buffer.from('\n')]));
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 1, broken: { line: 2, damage: 'edited' } });
    writeFileSync(file, Buffer.from([0xff, 0xfe, 10]));
    await expect(verifyAudit(file)).resolves.toMatchObject({ entries: 0, broken: { line: 1, damage: 'edited' } });
  });
});

describe('who writes', () => {
  it('is one: a second one is refused, and one that died keeps nobody out', async () => {
    const file = await logOf(1);
    const log = await AuditLog.open(file);
    await expect(AuditLog.open(file)).rejects.toMatchObject({ code: 'audit_in_use' });
    await log.close();
    expect(existsSync(`${file}.lock`)).toBe(false);
    writeFileSync(`${file}.lock`, String(process.ppid));
    await expect(AuditLog.open(file)).rejects.toThrow(`process ${process.ppid} writes this audit log`);
    const dead = spawnSync('true').pid!;
    writeFileSync(`${file}.lock`, String(dead));
    await (await AuditLog.open(file)).close();
  });

  it.each<[string, (file: string) => void]>([
    ['was shortened', (file) => truncateSync(file, 10)],
    ['was written to', (file) => appendFileSync(file, '{}\n')],
    ['was replaced', (file) => void copyFileSync(renamed(file), file)],
  ])('writes nothing more to a log that %s meanwhile', async (_, change) => {
    const file = await logOf(0);
    const log = await AuditLog.open(file);
    await log.append(fields(1));
    change(file);
    await expect(log.append(fields(2))).rejects.toMatchObject({ code: 'audit_broken' });
    await log.close();
  });

  it('says what cannot be opened', async () => {
    const directory = temporaryDirectory();
    await expect(AuditLog.open(directory)).rejects.toMatchObject({
      code: expect.stringMatching(/^(audit_unwritable|unreadable_file)$/),
    });
    await expect(AuditLog.open('/dev/full')).rejects.toMatchObject({
      code: 'audit_unwritable',
      message: 'the audit log /dev/full cannot be written: it is no file, but a folder, a device or a pipe',
    });
    await expect(AuditLog.open(join(directory, 'no/such/file'))).rejects.toMatchObject({ code: 'audit_unwritable' });
  });
});

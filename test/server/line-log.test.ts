import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineFile, LineLog } from '../../src/server/line-log.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const directory = temporaryDirectory();
let count = 0;

describe('a log of lines', () => {
  it('has each line once and whole, whatever room a disk has from time to time', async () => {
    const room = fc.array(fc.nat(60), { maxLength: 8 });
    const lines = fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 12 });
    const law = fc.asyncProperty(room, lines, async (rooms, texts) => {
      const { log, path, disk, said } = opened();
      const wanted = texts.map((text, number) => JSON.stringify({ v: 1, number, text }));
      for (const [number, line] of wanted.entries()) {
        disk.roomBytes = rooms[number] ?? disk.roomBytes;
        log.add(line);
        await log.close();
        // Whatever a reader finds meanwhile is whole.
        expect(`${wanted.join('\n')}\n`.startsWith(readFileSync(path, 'utf8'))).toBe(true);
      }
      disk.roomBytes = Number.POSITIVE_INFINITY;
      await log.close();
      expect(readFileSync(path, 'utf8')).toBe(`${wanted.join('\n')}\n`);
      expect(said.filter((one) => one.startsWith('lost'))).toEqual([]);
    });
    await fc.assert(law, { seed: 20261130, numRuns: 40 });
  });

  it('says once that it cannot be written, and at the end what was lost', async () => {
    const { log, path, disk, said } = opened({ mostLines: 3 });
    disk.roomBytes = 2;
    for (let number = 0; number < 5; number += 1) {
      log.add(`{"v":1,"number":${number}}`);
      await log.close();
    }
    expect(said).toEqual(['trouble the disk is full, 1 waiting']);
    disk.roomBytes = 1000;
    await log.close();
    expect(said.slice(1)).toEqual(['lost 2']);
    expect(readFileSync(path, 'utf8')).toBe('{"v":1,"number":0}\n{"v":1,"number":1}\n{"v":1,"number":2}\n');
  });

  it('leaves what another process has written behind the beginning of a line', async () => {
    const { log, path, disk } = opened();
    disk.roomBytes = 8;
    disk.beforeFailure = () => {
      appendFileSync(path, 'x\n');
      disk.beforeFailure = () => {};
    };
    log.add('{"v":1,"number":0}');
    await log.close();
    disk.roomBytes = 1000;
    await log.close();
    expect(readFileSync(path, 'utf8')).toBe('{"v":1,"x\n{"v":1,"number":0}\n');
  });

  it.each([
    ['nothing', '', '{"v":1}\n'],
    ['whole lines', '{"v":1,"a":1}\n', '{"v":1,"a":1}\n{"v":1}\n'],
    ['a line that a crash left unfinished', '{"v":1,"a":1}\n{"v":1,"a', '{"v":1,"a":1}\n{"v":1}\n'],
    ['the beginning of its first line', '{"v":1,"a', '{"v":1}\n'],
    ['a last line of somebody else', '{"v":1,"a":1}\nmine', '{"v":1,"a":1}\nmine\n{"v":1}\n'],
  ])('goes on behind %s', async (_, before, after) => {
    const { log, path } = opened({ before });
    log.add('{"v":1}');
    await log.close();
    expect(readFileSync(path, 'utf8')).toBe(after);
  });
});

function opened({ before = '', mostLines = 100 }: { before?: string; mostLines?: number } = {}) {
  const path = join(directory, `${count++}.jsonl`);
  writeFileSync(path, before);
  const said: string[] = [];
  const disk = { roomBytes: Number.POSITIVE_INFINITY, beforeFailure: () => {} };
  const log = new LineLog({
    ...{ path, beginning: '{"v":1,', mostLines },
    onTrouble: (why, waiting) => said.push(`trouble ${why}, ${waiting} waiting`),
    onLost: (lines) => said.push(`lost ${lines}`),
    open: async () => onFullDisk(await open(path, 'a+'), disk),
  });
  return { log, path, said, disk };
}

/** A file of a disk with so much room: a write takes what there is, as write(2) does. */
function onFullDisk(
  file: Awaited<ReturnType<typeof open>>,
  disk: { roomBytes: number; beforeFailure(): void },
): LineFile {
  return Object.assign(Object.create(null) as LineFile, {
    write: async (bytes: Uint8Array, from: number) => {
      if (disk.roomBytes === 0) {
        disk.beforeFailure();
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      const written = await file.write(bytes, from, Math.min(bytes.length - from, disk.roomBytes));
      disk.roomBytes -= written.bytesWritten;
      return written;
    },
    read: file.read.bind(file),
    stat: file.stat.bind(file),
    truncate: async (size: number) => {
      const { size: was } = await file.stat();
      await file.truncate(size);
      disk.roomBytes += was - size;
    },
    close: () => file.close(),
  });
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseJsonLine, readLines } from '../../src/config/json-lines.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
let files = 0;
async function linesOf(content: string | Buffer): Promise<string[]> {
  const file = join(folder, `${files++}.jsonl`);
  writeFileSync(file, content);
  const lines: string[] = [];
  for await (const { line, text } of readLines(file, 'manifest')) lines.push(`${line}: ${text}`);
  return lines;
}

describe('lines of a text file', () => {
  it.each([
    ['LF', 'a\nb\n'],
    ['CR LF', 'a\r\nb\r\n'],
    ['CR', 'a\rb\r'],
    ['nothing at the end', 'a\nb'],
    ['a byte order mark', '\ufeffa\nb'],
    ['gzip', gzipSync('a\nb\n')],
  ])('with %s', async (_, content) => {
    expect(await linesOf(content)).toEqual(['1: a', '2: b']);
  });

  it('are counted with the blank ones', async () => {
    expect(await linesOf('\n \na\r\n\r\nb')).toEqual(['3: a', '5: b']);
  });

  it.each([
    [
      'Latin-1',
      Buffer.from('{"text": "cafe"}\n{"text": "caf\xe9"}\n', 'latin1'),
      'it is not UTF-8: line 2 has other bytes',
    ],
    ['UTF-16 with a mark', Buffer.from('\ufeffa\n', 'utf16le'), 'it is UTF-16'],
    ['UTF-16 without one', Buffer.from('{"id"', 'utf16le'), 'it is UTF-16'],
    ['a line without end', 'x'.repeat(3_000_000), 'line 1 has more than 1000000 characters'],
    ['a character cut at the end', Buffer.from([0x61, 0x0a, 0xc3]), 'it is not UTF-8: line 2'],
  ])('are refused in %s', async (_, content, message) => {
    await expect(linesOf(content)).rejects.toThrow(message);
  });

  it('are the same however they end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z ü✓]{1,9}x$/), fc.constantFrom('\n', '\r\n', '\r')), {
          maxLength: 12,
        }),
        async (parts) => {
          const found = await linesOf(parts.map((part) => part.join('')).join(''));
          expect(found).toEqual(parts.map(([text], i) => `${i + 1}: ${text}`));
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });
});

describe('a line of JSON', () => {
  const schema = z.object({ id: z.string().min(1), count: z.number().optional() });

  it('is its value', () => {
    expect(parseJsonLine('{"id": "a", "more": 1}', schema)).toEqual({ value: { id: 'a' } });
  });

  it.each([
    ['text', 'hello', 'is not JSON: "hello"'],
    ['a list', '[1]', '[1] is not a JSON object'],
    [
      'an empty and a wrong value',
      '{"id": "", "count": "3"}',
      'id: has 0 characters; allowed: at least 1; count: "3" is not a number',
    ],
    ['nothing in it', '{}', 'id: is missing; write text'],
  ])('that is %s is told in our words', (_, text, problem) => {
    expect(parseJsonLine(text, schema)).toEqual({ problem });
  });
});

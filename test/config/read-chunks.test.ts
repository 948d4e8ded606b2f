import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readText } from '../../src/config/read-chunks.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const file = join(temporaryDirectory(), 'a.yaml');

it('a text file is read whole, without its byte order mark', () => {
  writeFileSync(file, '\ufeffname: Zoë\r\n');
  expect(readText(file, 'scenario')).toBe('name: Zoë\r\n');
});

it.each<[string, Buffer, string]>([
  ['UTF-16', Buffer.from('\ufeffname: x', 'utf16le'), 'it is UTF-16; save it as UTF-8'],
  ['Latin-1', Buffer.from('a: 1\nname: Zoë', 'latin1'), 'it is not UTF-8: line 2 has other bytes; save it as UTF-8'],
  ['too large', Buffer.alloc(16_000_001, 'a'), 'it has more than the 16 MB that are read'],
])('one that is %s is refused', (_, bytes, why) => {
  writeFileSync(file, bytes);
  expect(() => readText(file, 'scenario')).toThrow(`cannot read the scenario "${file}": ${why}`);
});

it('a device without an end is not read to it', () => {
  expect(() => readText('/dev/zero', 'scenario')).toThrow('it has more than the 16 MB');
});
